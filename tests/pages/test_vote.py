"""The page *Class vote*: a teacher's room, and its students."""

import random
from dataclasses import replace

import pyarrow
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from fracture import demo
from fracture.app.shared import heatmap_overlay, prediction_cache
from fracture.app.shared.images import encode_jpeg
from fracture.app.vote import handout
from fracture.app.vote.images import examine, order_of_labels, samples
from fracture.registry.model_folder import shipped_models
from fracture.teaching import rooms, votes
from fracture.teaching.votes import Vote
from tests.pages.test_pages import alone, healthy, words
from tests.support.votes import LABELS, MODEL, image
from tests.support.widgets import by_key, keys_of

JPEG_SIDE = 8


@pytest.fixture
def room(homes):
    """An open room with six images that shows its first: its code and its teacher's secret."""
    code, secret = rooms.open_room([_drawn(place) for place in range(6)], LABELS, MODEL, "CC BY")
    rooms.show(code, secret, 0)
    return code, secret


def _drawn(place):
    """An image with a picture that a browser can show."""
    picture = encode_jpeg(Image.new("RGB", (JPEG_SIDE, JPEG_SIDE), (place, 0, 0)))
    return replace(image(place), picture=picture, heat=picture)


def visit(room_code: str = "", **parameters: str) -> AppTest:
    """The page at an address."""
    app = alone("vote")
    for name, value in {"room": room_code, **parameters}.items():
        if value:
            app.query_params[name] = value
    return app.run()


def as_teacher(room) -> AppTest:
    """The page of the room's teacher."""
    app = alone("vote")
    app.session_state["taught room"] = room
    return healthy(app.run())


def join(code: str, nickname: str = "") -> AppTest:
    """The page of a student who has just joined."""
    app = healthy(visit(code))
    app.text_input(key="nickname").set_value(nickname)
    return app.button(key="join room button").click().run()


def student_of(app: AppTest) -> str:
    """What identifies the student of a page."""
    return app.session_state["joined room"][1]


def test_room_opens_with_the_model_s_answers(as_cloned):
    """The samples and the model that come with the app are enough, offline; the page shows the code and an address."""
    app = healthy(visit())
    app.slider(key="vote images").set_value(5)
    app.button(key="open room").click().run()
    code, secret = healthy(app).session_state["taught room"]
    found = rooms.find_room(code)
    assert (found.images, found.labels, found.model.name) == (5, ("not fractured", "fractured"), "fracatlas")
    assert " ".join(code) in [each.value for each in app.header] and app.query_params["room"] == code
    for place in range(5):
        rooms.show(code, secret, place)
        rooms.reveal(code, secret, place)
        assert 0 <= rooms.reveal_of(code, place).probability <= 1
    labels = votes.revealed_images(code).sort_values("place")["label"].tolist()
    assert sorted(labels) in ([0, 0, 0, 1, 1], [0, 0, 1, 1, 1])
    assert all(0 < sum(labels[start : start + 3]) < 3 for start in range(3))


@pytest.mark.parametrize("count", [5, 6, 10, 20])
def test_both_labels_come_early_in_an_order_that_is_random(count):
    """No label comes three times in a row, either may come first, and orders differ."""
    orders = [order_of_labels(count, random.Random(seed)) for seed in range(100)]
    for order in orders:
        assert order.count(1) == count // 2 and len(order) == count
        assert all(0 < sum(order[start : start + 3]) < 3 for start in range(count - 2))
    assert 10 < sum(order[0] for order in orders) < 90
    assert len(set(map(tuple, orders))) >= 6
    assert orders[7] == order_of_labels(count, random.Random(7))


@pytest.mark.parametrize("source", ["phantoms", "data set"])
def test_room_shows_phantoms_or_a_data_set(home_with_data, make_model, source):
    """Half of the images have each label, and they are in the words of the model or of the data set."""
    make_model("first")
    app = healthy(visit())
    app.segmented_control(key="vote source").set_value(source).run()
    app.slider(key="vote images").set_value(5)
    app.button(key="open room").click().run()
    code, secret = healthy(app).session_state["taught room"]
    for place in range(5):
        rooms.show(code, secret, place)
        rooms.reveal(code, secret, place)
    assert len(set(votes.revealed_images(code)["label"])) == 2


def test_edited_address_is_in_the_qr_code_of_every_image(room):
    """It stays while the field for it is not shown; a warning says who can't open the proposed one."""
    rooms.show(*room, rooms.LOBBY)
    app = as_teacher(room)
    assert "leads every device to itself" in words(app) or "same network" in words(app)
    app.text_input(key="vote address").set_value("https://xray.example.org").run()
    app.button(key="next image").click().run()
    alts = [image.alt for shown in healthy(app).get("image") for image in shown.proto.imgs]
    assert f"QR code of https://xray.example.org/vote?room={room[0]}" in alts


def test_page_without_a_model_still_lets_students_join(homes):
    """A room needs a model; a student needs none."""
    app = healthy(visit())
    assert "There is no trained model yet" in words(app) and not keys_of(app.button, "open room")
    assert keys_of(app.text_input, "room code")


def test_student_votes_and_may_vote_again(room):
    """The page says what was voted; the truth and the model's answer are not in it."""
    app = healthy(join(room[0]))
    assert "You have not voted yet" in words(app)
    app.button(key="vote positive").click().run()
    assert "You voted *abnormal* (fairly sure)" in words(healthy(app))
    app.segmented_control(key="vote confidence 0").set_value(2).run()
    assert "You voted *abnormal* (sure)" in words(healthy(app))
    app.button(key="vote negative").click().run()
    assert votes.count_votes(room[0], 0) == {Vote(False, 2): 1}
    assert "truth" not in words(app) and "model says" not in words(app)


def test_vote_after_the_reveal_is_refused_in_a_sentence(room):
    """A phone that has not heard of the reveal yet says that the vote came too late."""
    app = healthy(join(room[0]))
    student = student_of(app)
    rooms.reveal(*room, 0)
    app.button(key="vote positive").click().run()
    assert not app.exception and votes.own_vote(room[0], student, 0) is None
    assert "You did not vote. The truth is **normal**" in words(app)


def test_reload_keeps_the_student(room):
    """The address identifies the student to a new session."""
    app = healthy(join(room[0], "Ada"))
    app.button(key="vote positive").click().run()
    again = healthy(visit(room[0], student=app.query_params["student"]))
    assert "You voted *abnormal*" in words(again) and rooms.find_room(room[0]).students == 1


def test_late_student_sees_the_current_image(room):
    """Not the first one."""
    rooms.show(*room, 3)
    assert "**Image 4 of 6**" in words(healthy(join(room[0])))


@pytest.mark.parametrize("code", ["NOROOM", "-", "<b>"])
def test_room_that_is_not_open_is_a_sentence(homes, code):
    """And another code can be entered."""
    app = healthy(visit(code))
    assert "There is no open room" in words(app) and keys_of(app.text_input, "room code")
    app.button(key="leave room").click().run()
    assert "Join a room" in [each.value for each in app.header]


@pytest.mark.parametrize(("seconds", "why"), [(0, "was closed by the teacher"), (4 * 3600, "has expired")])
def test_student_of_a_closed_room_is_told_why(room, monkeypatch, seconds, why):
    """Closed by the teacher, or expired after three hours; the votes are gone."""
    app = healthy(join(room[0]))
    if seconds:
        later = rooms.time.time() + seconds
        monkeypatch.setattr(rooms.time, "time", lambda: later)
    else:
        rooms.close(*room)
    assert why in words(healthy(app.run()))
    assert not keys_of(app.button, "vote")


def test_full_room_is_a_sentence(room, monkeypatch):
    """It says how many the room holds."""
    monkeypatch.setenv(demo.VARIABLE, "1")
    monkeypatch.setattr(rooms, "_max_students", lambda: 1)
    code, secret = rooms.open_room([_drawn(0)], LABELS, MODEL, "")
    rooms.show(code, secret, 0)
    healthy(join(code))
    app = join(code)
    assert not app.exception and "it holds 1 student." in words(app)


def test_teacher_leads_through_the_vote(room):
    """Votes are counted, the reveal shows truth, model and class, and the results compare them."""
    students = [votes.join(room[0], name) for name in ("Ada", "")]
    app = as_teacher(room)
    for place in range(6):
        assert f"**Image {place + 1} of 6**" in words(app)
        votes.vote(room[0], students[0], place, Vote(place % 2 == 1, 2))
        votes.vote(room[0], students[1], place, Vote(True, 0))
        assert "Truth" not in words(app)
        healthy(app.button(key="reveal").click().run())
        assert "Truth: **" in words(app) and app.metric[0].value == "2 of 2"
        healthy(app.button(key="next image").click().run())
    assert app.get("plotly_chart")
    assert "2 students voted on 6 images, 3 of them abnormal" in words(app)
    assert "100% (44\u00a0to\u00a0100%)" in str(app.table[0].value)


def test_results_without_votes_are_a_sentence(room):
    """There is nothing to compare."""
    rooms.show(*room, 6)
    app = as_teacher(room)
    assert "needs votes on revealed images of both labels" in words(app)
    assert not app.table and not app.get("download_button")


@pytest.mark.parametrize("presented", [False, True])
def test_results_of_one_label_show_the_rates_and_lead_back(room, presented):
    """The first image alone was voted on: there is no curve, but a score, both files, and the button that is named."""
    _vote_and_reveal(room, 1)
    rooms.show(*room, 6)
    app = alone("vote")
    app.session_state["taught room"] = room
    app.session_state["presenting"] = presented
    back = by_key(healthy(app.run()).button, "back to images")
    assert f"Press *{back.label}*" in words(app) and not app.get("plotly_chart")
    assert app.table[0].value["Right"].tolist() == ["1 of 1", "1 of 1"]
    assert len(app.get("download_button")) == 2
    assert handout.make_handout(rooms.find_room(room[0])).startswith(b"%PDF-")
    back.click().run()
    assert "**Image 2 of 6**" in words(healthy(app))


def test_vote_ends_before_the_last_image(room):
    """Once an image was revealed; from the results of both labels a button leads back, too."""
    app = as_teacher(room)
    assert by_key(app.button, "show results").disabled
    _vote_and_reveal(room, 2)
    by_key(healthy(app.run()).button, "show results").click().run()
    assert healthy(app).get("plotly_chart") and rooms.find_room(room[0]).place == 6
    by_key(app.button, "back to images").click().run()
    assert "**Image 3 of 6**" in words(healthy(app))


def test_way_back_from_a_vote_that_is_done_shows_the_last_image(room):
    """No image is left to be revealed."""
    _vote_and_reveal(room, 6)
    rooms.show(*room, 6)
    app = as_teacher(room)
    by_key(app.button, "back to images").click().run()
    assert "**Image 6 of 6**" in words(healthy(app))


def _vote_and_reveal(room, images):
    """A student votes with the negative label on the first images, and each is revealed."""
    student = votes.join(room[0])
    for place in range(images):
        rooms.show(*room, place)
        votes.vote(room[0], student, place, Vote(False, 1))
        rooms.reveal(*room, place)


def test_marks_of_a_revealed_picture_are_named(room):
    """On the phone and on the projector; a negative answer has no ring, and a negative truth no box."""
    phone = healthy(join(room[0]))
    teacher = as_teacher(room)
    for place, named in ((0, False), (1, True)):
        rooms.show(*room, place)
        rooms.reveal(*room, place)
        for app in (phone, teacher):
            shown = words(healthy(app.run()))
            assert "Orange speaks for *abnormal*, blue against it." in shown
            assert ("A ring marks the likeliest place." in shown) == named
            assert ("Yellow boxes are the truth." in shown) == named
    teacher.toggle(key="vote heat map").set_value(False).run()
    assert "Yellow boxes" not in words(healthy(teacher))


def test_ring_is_drawn_where_the_model_s_answer_is_not_negative(as_cloned, monkeypatch):
    """As on *Classify*."""
    rings = []
    monkeypatch.setattr(heatmap_overlay, "likeliest", lambda _, each: rings.append(each.view.name))
    model = prediction_cache.classifier(shipped_models()[0])
    found = list(examine(samples(), model, 6, seed=1))
    assert rings == [each.identity for each in found if each.answer != "not fractured"]
    assert 0 < len(rings) < 6


def test_chart_may_be_hidden_until_the_reveal(room):
    """The number of votes is shown, their sides are not."""
    votes.vote(room[0], votes.join(room[0]), 0, Vote(True, 1))
    app = alone("vote")
    app.session_state["taught room"] = room
    app.session_state["hide votes"] = True
    app.run()
    assert healthy(app).metric[0].value == "1 of 1"
    assert _charted(app) == 0
    rooms.reveal(*room, 0)
    assert _charted(healthy(app.run())) == 1


def _charted(app):
    """The votes in the chart."""
    [chart] = app.get("vega_lite_chart")
    table = pyarrow.ipc.open_stream(chart.proto.data.data).read_pandas()
    return table["votes"].sum()


def test_teacher_s_link_leads_back_and_leaves_the_address(room):
    """A new session is the teacher's; a wrong secret is a student's."""
    app = healthy(visit(room[0], teacher=room[1]))
    assert keys_of(app.button, "reveal") and "teacher" not in app.query_params
    other = healthy(visit(room[0], teacher="guessed"))
    assert not keys_of(other.button, "reveal") and keys_of(other.button, "join room button")


def test_teacher_s_link_is_not_shown_to_a_class(room):
    """It is sent at a click alone, and not in a presentation."""
    app = alone("vote")
    app.session_state["taught room"] = room
    assert not healthy(app.run()).code and room[1] not in words(app)
    app.session_state["teacher link"] = True
    assert room[1] in healthy(app.run()).code[0].value
    app.session_state["presenting"] = True
    assert not healthy(app.run()).code


def test_nickname_is_escaped_and_removed(room):
    """What a student types is no Markdown, and a click of the teacher removes it."""
    name = "**[x](y)** <b>"
    student = student_of(healthy(join(room[0], name)))
    app = alone("vote")
    app.session_state["taught room"] = room
    app.session_state["room menu"] = True
    shown = by_key(healthy(app.run()).button, f"remove {student}")
    assert shown.label == r"\*\*\[x\]\(y\)\*\* \<b\>"
    shown.click().run()
    assert votes.nicknames(room[0]) == {} and rooms.find_room(room[0]).students == 1


def test_room_is_closed_after_a_confirmation(room):
    """The button needs the tick; then all is deleted, and another room can be opened."""
    app = alone("vote")
    app.session_state["taught room"] = room
    app.session_state["room menu"] = True
    assert healthy(app.run()).button(key="close room").disabled
    app.checkbox(key="confirm close").check().run()
    app.button(key="close room").click().run()
    assert rooms.find_room(room[0]) is None
    assert "everything in it is deleted" in words(healthy(app))
    app.button(key="leave room").click().run()
    assert "Open a room" in [each.value for each in healthy(app).header]


def test_public_demo_refuses_one_room_more_in_a_sentence(as_cloned, monkeypatch):
    """It says how many it allows."""
    monkeypatch.setenv(demo.VARIABLE, "1")
    for _ in range(demo.LIMITS.max_rooms):
        rooms.open_room([_drawn(0)], LABELS, MODEL, "")
    app = visit()
    app.slider(key="vote images").set_value(5)
    app.button(key="open room").click().run()
    assert not app.exception and "at most 2 rooms" in words(app)


def test_alternative_texts_say_nothing_about_the_truth(room):
    """A picture is named by its number alone, on the phone and on the projector."""
    for app in (as_teacher(room), healthy(join(room[0]))):
        alts = [image.alt for shown in app.get("image") for image in shown.proto.imgs]
        assert "Radiograph 1 of 6" in alts
        assert not [alt for alt in alts if "normal" in alt]


def test_handout_holds_both_rates_and_each_image(room, monkeypatch):
    """Of the revealed images, without nicknames."""
    code, secret = room
    student = votes.join(code, "Ada")
    for place in range(2):
        rooms.show(code, secret, place)
        votes.vote(code, student, place, Vote(positive=True, confidence=2))
        rooms.reveal(code, secret, place)
    written = []
    monkeypatch.setattr(
        handout, "to_pdf", lambda lesson, entries, *_, **options: written.extend([lesson, options, *entries]) or b""
    )
    handout.make_handout(rooms.find_room(code))
    lesson, options, *entries = written
    assert lesson.title == f"Class vote, room {code}" and options == {"numbered": False}
    assert [entry.title for entry in entries] == ["Class, majority", f"Model {MODEL.name}", "Image 1", "Image 2"]
    assert "Right on 1 of 2 images. Sensitivity 100% " in entries[0].figure
    assert "Truth: " in entries[2].result
    assert entries[2].figure.startswith("Class: abnormal; 1 of 1 said abnormal. Model: normal")
    assert "Ada" not in str(written)


def test_one_student_and_one_image_are_no_plural(room):
    """In the results and in the menu."""
    _vote_and_reveal(room, 1)
    rooms.show(*room, 6)
    app = alone("vote")
    app.session_state["taught room"] = room
    app.session_state["room menu"] = True
    shown = words(healthy(app.run()))
    assert "1 student voted on 1 image, 0 of them abnormal" in shown and "**1 student**, 0 with" in shown


def test_presentation_has_one_button_for_the_next_image(room):
    """That of its bar, which the arrow keys press; the last image still leads to the results."""
    app = alone("vote")
    app.session_state["taught room"] = room
    app.session_state["presenting"] = True
    assert not keys_of(healthy(app.run()).button, "next image")
    rooms.show(*room, 5)
    assert by_key(healthy(app.run()).button, "next image").label == "Show results"
