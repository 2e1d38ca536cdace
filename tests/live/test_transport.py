"""An RTSP camera whose packets come over UDP, because the configuration says so."""

from pipeline.stream.chunk import Fault


def test_a_camera_gives_what_is_asked_of_it_and_is_told_what_it_does_not(camera, pulled):
    """Each of the two sends in one way alone, so frames prove which one was taken."""
    over_udp, over_tcp = camera(transport="udp"), camera(transport="tcp")
    host = pulled()
    for name, server in (("over-udp", over_udp), ("over-tcp", over_tcp)):
        for asked in ("udp", "tcp"):
            host.open(f"{name}-{asked}", server.url(), transport=asked)
    right, wrong = ("over-udp-udp", "over-tcp-tcp"), ("over-udp-tcp", "over-tcp-udp")
    host.until(lambda: all(len(host.infos(one)) > 10 for one in right))
    host.until(lambda: all(host.told(one) for one in wrong))
    for stream in wrong:
        assert "461" in host.of(Fault, stream)[0].detail
        assert not host.infos(stream)


def test_packets_that_udp_loses_cost_their_pictures_alone(camera, pulled):
    """What is lost is counted, and the connection goes on."""
    host = pulled()
    host.open("gate", camera(transport="udp", lose_every=23).url(), transport="udp")
    host.until(lambda: sum(fault.lost for fault in host.of(Fault, "gate")) > 10)
    came = len(host.infos("gate"))
    host.until(lambda: len(host.infos("gate")) > came + 20)
    assert set(host.told("gate")) == {"decode"}
    assert len({info.session for info in host.infos("gate")}) == 1
