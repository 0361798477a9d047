"""The readers' pages: what is served to whom, and everything that is refused."""

import re

import pytest
from review_made import SITE, STORES, Browser, close_all, make

from sdq_core.errors import ReviewError
from sdq_core.review.closing import checked, close_review
from sdq_core.review.serving import served_alone


@pytest.fixture(autouse=True)
def _closed():
    yield
    close_all()


def entered(made, reader="r1", **options):
    browser = Browser(made, **options)
    reply = browser.get(f"/enter/{made.tokens[reader]}")
    assert reply.status_code == 303
    return browser


def begun(made, reader="r1", **options):
    browser = entered(made, reader, **options)
    assert browser.post("/begin", {"session": "1", "name": "Dr. A"}).status_code == 303
    return browser


def shown(page):
    """Number and revision in the form."""
    return tuple(
        int(re.search(rf'name="{n}" value="(\d+)"', page)[1]) for n in ("number", "revision")
    )


def refusals(made):
    return [e.content["code"] for e in made.store.entries() if e.kind == "refused"]


def test_a_reader_goes_from_the_link_to_the_last_case(tmp_path):
    made = make(tmp_path, number=4, training=1)
    browser = begun(made)
    page = browser.get("/read").text
    assert "Training case" in page
    assert "Is this case real or synthetic?" in page
    assert browser.post("/answer", {"number": "1", "revision": "0", "confidence": "6"}).is_redirect
    page = browser.get("/read").text
    case = made.store.slots()["r1"][0].case
    assert f"It is: {'synthetic' if made.truth(case) else 'real'}." in page
    assert "You said: surely synthetic." in page
    browser.post("/continue", {"number": "1"})
    for number in range(2, 6):
        page = browser.get("/read").text
        assert shown(page) == (number, 0)
        browser.post("/answer", {"number": str(number), "revision": "0", "confidence": "3"})
    page = browser.get("/read").text
    assert "All cases are read" in page
    assert [a["answers"] for a in made.store.answers()] == [{"confidence": 6}] + [
        {"confidence": 3}
    ] * 4
    assert refusals(made) == []
    checked(made.store)


def test_pages_speak_chinese_and_the_choice_is_kept(tmp_path):
    browser = entered(make(tmp_path))
    assert "开始之前" in browser.get("/read", headers={"accept-language": "zh-CN,zh"}).text
    assert "Before you begin" in browser.get("/read").text
    browser.post("/language", {"to": "zh"})
    assert "开始之前" in browser.get("/read").text
    browser.post("/language", {"to": "klingon"})
    assert "开始之前" in browser.get("/read").text


def test_every_picture_has_the_same_length_and_headers(tmp_path):
    made = make(tmp_path)
    browser = begun(made)
    seen = set()
    for number in range(1, 4):
        browser.get("/read")
        for frame in (0, 1):
            for preset in (0, 1):
                reply = browser.get(f"/frame/{number}/0/{frame}/{preset}")
                assert reply.content[1:4] == b"PNG"
                seen.add((len(reply.content), tuple(sorted(reply.headers.items()))))
        browser.post("/answer", {"number": str(number), "revision": "0", "confidence": "1"})
        browser.post("/continue", {"number": str(number)})
    assert len(seen) == 1
    headers = dict(seen.pop()[1])
    assert headers["cache-control"] == "no-store"
    assert not set(headers) & {"etag", "last-modified", "server", "date"}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/frame/2/0/0/0", "picture"),  # another case than that on the desk
        ("/frame/1/1/0/0", "picture"),  # the other side of what is no pair
        ("/frame/1/0/0/9", "picture"),  # no such window
        ("/frame/999999999/0/0/0", "picture"),
        ("/frame/..%2f..%2fkey.json/0/0/0", "not_found"),
        ("/frame/1/0/0/../../../review.sqlite", "not_found"),
        ("/static/../plan.py", "not_found"),
        ("/static/..%2f..%2fplan.py", "not_found"),
        ("/key", "key"),
        ("/nowhere", "not_found"),
    ],
)
def test_what_a_reader_may_not_see_is_refused_and_logged(tmp_path, path, code):
    made = make(tmp_path)
    browser = begun(made)
    browser.get("/read")
    reply = browser.get(path)
    assert reply.status_code in (403, 404)
    if not path.startswith("/static"):
        assert code in refusals(made)
    assert made.key.salt not in reply.text
    assert "holdout" not in reply.text


@pytest.mark.parametrize(
    "path", ["/read", "/frame/1/0/0/0", "/answer", "/begin", "/continue", "/event", "/key"]
)
def test_nothing_without_an_access_code(tmp_path, path):
    made = make(tmp_path)
    browser = Browser(made)
    method = "GET" if path in ("/read", "/key") or path.startswith("/frame") else "POST"
    reply = browser.ask(method, path)
    assert reply.status_code == 403
    assert "access code" in reply.text
    assert refusals(made) == ["token"]


def test_wrong_codes_and_those_of_others(tmp_path):
    made = make(tmp_path)
    browser = Browser(made)
    assert browser.get("/enter/guess").status_code == 403
    assert browser.post("/enter", {"token": "' OR 1=1 --"}).status_code == 403
    assert refusals(made) == ["token", "token"]
    other = begun(made, "r2")
    other.get("/read")
    assert other.post(
        "/answer", {"number": "1", "revision": "0", "confidence": "2", "reader": "r1"}
    ).is_redirect
    assert [a["reader"] for a in made.store.answers()] == ["r2"]


@pytest.mark.parametrize(
    "origin",
    [None, "https://elsewhere.example", "null", "http://127.0.0.1:99", "http://127.0.0.1.x"],
)
def test_forms_of_elsewhere_are_refused(tmp_path, origin):
    made = make(tmp_path)
    browser = begun(made)
    browser.get("/read")
    reply = browser.post("/answer", {"number": "1", "revision": "0", "confidence": "2"},
                         origin=origin)  # fmt: skip
    assert reply.status_code == 403
    assert made.store.answers() == []
    assert refusals(made) == ["origin"]


def test_other_names_of_the_host_are_refused(tmp_path):
    made = make(tmp_path)
    browser = Browser(made)
    assert browser.get("/", base="http://rebound.example").status_code == 403
    assert refusals(made) == ["host"]
    assert Browser(made, hosts=None).get("/", base="http://lab.example").status_code == 200


def test_script_in_a_comment_stays_text(tmp_path):
    made = make(tmp_path, training=0)
    browser = begun(made)
    browser.get("/read")
    nasty = "<script>alert(1)</script>{{ 7*7 }}'\"; DROP TABLE review_answer; --"
    browser.post("/answer", {"number": "1", "revision": "0", "confidence": "2", "comment": nasty})
    assert made.store.answers()[0]["comment"] == nasty
    page = browser.get("/read?back=1").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "49" not in page
    assert "script-src 'self'" in browser.get("/read").headers["content-security-policy"]


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"number": "1", "revision": "0"}, "answers"),
        ({"number": "1", "revision": "0", "confidence": "7"}, "answers"),
        ({"number": "1", "revision": "0", "confidence": "4' OR"}, "answers"),
        ({"number": "3", "revision": "0", "confidence": "4"}, "not_shown"),
        ({"number": "-1", "revision": "0", "confidence": "4"}, "not_shown"),
        ({"number": "zero", "revision": "0", "confidence": "4"}, "not_shown"),
        ({"number": "1", "revision": "1", "confidence": "4"}, "not_shown"),
        ({"number": "1", "revision": "0", "confidence": "4", "comment": "x" * 2001}, "too_large"),
        ({"number": "1", "revision": "0", "confidence": "4", "comment": "x" * 70000}, "too_large"),
    ],
)
def test_answers_that_cannot_be_are_refused_and_the_page_stays(tmp_path, form, code):
    made = make(tmp_path)
    browser = begun(made)
    browser.get("/read")
    reply = browser.post("/answer", form)
    assert reply.status_code in (400, 409, 413)
    assert made.store.answers() == []
    if len(form.get("comment", "")) < 70000:
        assert shown(reply.text) == (1, 0)  # the case is still there
    assert code in refusals(made) or code == "too_large"
    browser.post("/answer", {"number": "1", "revision": "0", "confidence": "4"})
    assert len(made.store.answers()) == 1


def test_an_answer_sent_twice_counts_once_and_another_one_is_refused(tmp_path):
    made = make(tmp_path, training=0)
    browser = begun(made)
    browser.get("/read")
    form = {"number": "1", "revision": "0", "confidence": "4"}
    assert browser.post("/answer", form).is_redirect
    assert browser.post("/answer", form).is_redirect  # a lost reply, sent again by the page
    reply = browser.post("/answer", {**form, "confidence": "1"})
    assert reply.status_code == 409
    assert "has another answer already" in reply.text
    assert [a["answers"]["confidence"] for a in made.store.answers()] == [4]
    logged = [e.content for e in made.store.entries() if e.kind == "refused"]
    assert logged[0]["answers"] == {"confidence": 1}  # kept, though it does not count


def test_a_change_is_a_new_row_and_only_the_last_answer_may_change(tmp_path):
    made = make(tmp_path, training=0)
    browser = begun(made)
    for number in (1, 2):
        browser.get("/read")
        browser.post("/answer", {"number": str(number), "revision": "0", "confidence": "4"})
    page = browser.get("/read?back=1").text
    assert shown(page) == (2, 1)
    assert 'value="4" required\nchecked' in page
    assert browser.get("/frame/2/0/0/0").status_code == 200
    browser.post("/answer", {"number": "2", "revision": "1", "confidence": "5"})
    reply = browser.post("/answer", {"number": "1", "revision": "1", "confidence": "5"})
    assert reply.status_code == 409
    rows = [(a["number"], a["revision"], a["answers"]["confidence"]) for a in made.store.answers()]
    assert rows == [(1, 0, 4), (2, 0, 4), (2, 1, 5)]
    assert refusals(made) == ["revision"]


def test_an_answer_before_the_case_was_shown_or_after_the_end(tmp_path):
    made = make(tmp_path, training=0)
    browser = begun(made)
    form = {"number": "1", "revision": "0", "confidence": "4"}
    assert browser.post("/answer", form).status_code == 409
    browser.get("/read")
    close_review(made.store, made.key_path)
    reply = browser.post("/answer", form)
    assert reply.status_code == 409
    assert "The study is closed" in reply.text
    assert refusals(made) == ["not_shown", "closed"]
    late = made.store.entries()[-1].content
    assert late["answers"] == {"confidence": 4}
    assert made.store.answers() == []
    assert browser.get("/frame/1/0/0/0").status_code == 404
    checked(made.store)


def test_events_are_of_known_kinds(tmp_path):
    made = make(tmp_path)
    browser = begun(made)
    assert browser.post("/event", {"kind": "focus_lost", "number": "1"}).status_code == 204
    assert browser.post("/event", {"kind": "closed", "number": "1"}).status_code == 400
    assert [e.kind for e in made.store.entries()][-2:] == ["focus_lost", "refused"]


def test_the_part_of_a_page_that_a_script_asks_for_has_no_head(tmp_path):
    made = make(tmp_path, training=0)
    browser = begun(made)
    whole = browser.get("/read").text
    part = browser.post("/answer", {"number": "1", "revision": "0", "confidence": "4"},
                        headers={"HX-Request": "true"})  # fmt: skip
    assert "<html" in whole
    assert "<html" not in part.text
    assert part.status_code == 200
    assert shown(part.text) == (2, 0)


def test_a_changed_picture_is_not_served(tmp_path):
    made = make(tmp_path)
    browser = begun(made)
    browser.get("/read")
    for path in made.folder.pictures.iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"\x07")
    reply = browser.get("/frame/1/0/0/0")
    assert reply.status_code == 500
    assert refusals(made) == ["changed"]


def test_two_servers_on_one_database_are_refused(tmp_path):
    made = make(tmp_path)
    STORES.append(made.folder.store())
    other = served_alone(STORES[-1])
    with served_alone(made.store), pytest.raises(ReviewError, match="another server serves"), other:
        pass
    with served_alone(made.store):
        pass


def test_pairs_show_both_sides_and_hide_which_is_which(tmp_path):
    made = make(tmp_path, number=8, type="pairs", training=0)
    browser = begun(made)
    page = browser.get("/read").text
    assert page.count("<figure") == 2
    assert "Which of the two is synthetic?" in page
    assert browser.get("/frame/1/0/0/0").content != b""
    assert browser.get("/frame/1/1/0/0").status_code == 200
    assert SITE not in page
