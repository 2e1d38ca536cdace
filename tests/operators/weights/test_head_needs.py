"""What a header says of its head is read once, and what it does not say is unknown."""

from operators.weights.head_needs import HeadNeeds, chosen_header, head_choice


def test_a_header_is_read_as_it_is_written():
    header = {"fps": 5, "frames": 8, "stride": 4, "short_side": 112, "labels": ["wave", "fall"]}
    needs = HeadNeeds.of({**header, "tail_blocks": 2, "filter": "bicubic", "model": "m"})
    assert (needs.fps, needs.frames, needs.stride, needs.short_side) == (5.0, 8, 4, 112)
    assert (needs.classes, needs.own_blocks, needs.filter) == (("wave", "fall"), 2, "bicubic")
    assert (needs.model, needs.backbone) == ("m", None)


def test_what_is_of_another_kind_is_unknown():
    wrong = {"fps": True, "frames": 2.5, "short_side": "112", "labels": "wave", "filter": 3}
    assert HeadNeeds.of(wrong) == HeadNeeds.of({}) == HeadNeeds()
    assert HeadNeeds.of({"labels": [{"id": 0, "name": "wall"}]}).classes == ("wall",)


def test_a_choice_has_a_header_where_it_is_a_file_or_ships():
    assert HeadNeeds.of(chosen_header("action", "demo") or {}).fps == 5.0
    assert chosen_header("classify", "demo") is None
    assert chosen_header("depth", "nyu-linear") is chosen_header("depth", None) is None


def test_an_operator_gets_the_chosen_head_else_the_one_that_came_with_the_weights():
    chosen = {"depth": "nyu-linear", "classify": "own.safetensors"}
    for weights, shipped in (("demo", "demo"), ("auto", None), ("random", None)):
        assert head_choice("action", chosen, weights) == shipped
        assert head_choice("depth", chosen, weights) == "nyu-linear"
        assert head_choice("embedding", chosen, weights) is None
    assert head_choice("classify", {}, "demo") is None
