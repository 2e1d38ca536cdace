"""A camera for tests: an RTSP server of Debian's GStreamer, run by the system's python.

One JSON line on stdin says what to serve; facts about it come on stdout, one JSON object a line.
It ends when its stdin does, so that no test can leave it behind.
"""

import json
import os
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PICTURE = (
    "( videotestsrc name=camera is-live=true pattern={pattern}"
    " ! video/x-raw,width={width},height={height},framerate={fps}/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={fps} bitrate=400"
    " ! rtph264pay name=pay0 pt=96 config-interval=1 )"
)


def say(**facts):
    """In one write: threads of GStreamer speak beside this one."""
    os.write(1, (json.dumps(facts) + "\n").encode())


def count_frames(_factory, media):
    """Say how many pictures went out; the first of them too, then every fifth."""
    pad = media.get_element().get_by_name("pay0").get_static_pad("sink")
    seen = 0

    def passing(_pad, _info):
        nonlocal seen
        seen += 1
        if seen % 5 == 1:
            say(frames=seen)
        return Gst.PadProbeReturn.OK

    pad.add_probe(Gst.PadProbeType.BUFFER, passing)


def run_fast(media, rate):
    """Its clock runs at so many times the rate of this machine's."""
    pad = media.get_element().get_by_name("pay0").get_static_pad("sink")

    def passing(_pad, info):
        buffer = info.get_buffer()
        buffer.pts = int(buffer.pts * rate)
        return Gst.PadProbeReturn.OK

    pad.add_probe(Gst.PadProbeType.BUFFER, passing)


def lose(media, every):
    """Packets go missing on their way, each of so many: sooner or later one of every picture."""
    pad = media.get_element().get_by_name("pay0").get_static_pad("src")
    seen = 0

    def passing(_pad, _info):
        nonlocal seen
        seen += 1
        return Gst.PadProbeReturn.DROP if seen % every == 0 else Gst.PadProbeReturn.OK

    pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST, passing)


def protect(server, factory, user, password):
    """Basic authentication."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)


def main():
    wanted = json.loads(sys.stdin.readline())
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address(wanted["address"])
    server.set_service(str(wanted["port"]))
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PICTURE.format(**wanted))
    factory.set_shared(True)
    factory.connect("media-configure", count_frames)
    if wanted["transport"]:  # no other
        factory.set_protocols(getattr(GstRtsp.RTSPLowerTrans, wanted["transport"].upper()))
    if wanted["lose_every"]:
        factory.connect("media-configure", lambda _, media: lose(media, wanted["lose_every"]))
    if wanted["clock_rate"] != 1:
        factory.connect("media-configure", lambda _, media: run_fast(media, wanted["clock_rate"]))
    if wanted["password"]:
        protect(server, factory, wanted["user"], wanted["password"])
    server.get_mount_points().add_factory("/cam", factory)
    server.connect("client-connected", lambda *_: say(connection=True))
    if not server.attach(None):
        sys.exit(f"port {wanted['port']} cannot be had")
    say(port=server.get_bound_port())
    GLib.MainLoop().run()


main()
