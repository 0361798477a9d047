"""The readers' pages as HTML: templates filled with the state of the desk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jinja2
import numpy as np

from sdq_core.review.desk import Desk, Standing
from sdq_core.review.display import Layout
from sdq_core.review.png import encode
from sdq_core.review.words import words
from sdq_core.vocabulary import Language

__all__ = ["Pages", "ramp"]

_HERE: Final = Path(__file__).parent


class Pages:
    """Renders pages in one of the two languages.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._layout = Layout.of(desk.content["layout"])
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def enter(self, language: str, message: str = "") -> str:
        """Return the page that asks for an access code."""
        return self._page("enter.html", language, whole=True, standing=None, message=message)

    def refused(self, language: str, message: str, *, back: bool) -> str:
        """Return a page with one message."""
        return self._page(
            "plain.html", language, whole=True, standing=None, heading=words("refused", language),
            text=message, back=back, alert=True,
        )  # fmt: skip

    def standing(
        self,
        standing: Standing,
        language: str,
        *,
        whole: bool,
        message: str = "",
        given: Mapping[str, Any] | None = None,
    ) -> str:
        """Return the page of where a reader stands.

        Parameters
        ----------
        standing : Standing
        language : {"en", "zh"}
        whole : bool
            The whole document, or the part that is put into it.
        message : str
            About what was just refused.
        given : mapping, optional
            What the form held, so that nothing is lost.
        """
        stage = standing.stage
        if stage in ("case", "feedback"):
            return self._case(standing, language, whole=whole, message=message, given=given)
        if stage == "welcome":
            return self._page(
                "welcome.html", language, whole=whole, standing=standing, plan=self._desk.plan
            )
        return self._page(
            "plain.html", language, whole=whole, standing=standing, back=False,
            heading=words(stage, language), alert=bool(message),
            text=message or words(f"{stage}_lead", language, until=standing.until),
        )  # fmt: skip

    def _case(
        self,
        standing: Standing,
        language: str,
        *,
        whole: bool,
        message: str,
        given: Mapping[str, Any] | None,
    ) -> str:
        slot = standing.slot
        assert slot is not None, "a case has a slot"
        pair = self._desk.plan.type == "pairs"
        pictures = self._desk.content["pictures"]
        shown: dict[str, Any] = {
            "standing": standing, "slot": slot, "layout": self._layout, "message": message,
            "sides": [0, 1] if pair else [0],
            "frames": max(
                pictures[f"{slot.case}-{side}"]["frames"] for side in ("ab" if pair else "a")
            ),
            "label": self._desk.labels.get(slot.case, ""),
            "questions": self._desk.questions,
            "given": standing.given if given is None else given,
        }  # fmt: skip
        if standing.stage == "feedback":
            shown |= self._told(standing, language)
            return self._page("feedback.html", language, whole=whole, **shown)
        return self._page("case.html", language, whole=whole, **shown)

    def _told(self, standing: Standing, language: str) -> dict[str, Any]:
        """Say what a training case was, and what the reader said."""
        slot = standing.slot
        assert slot is not None, "feedback is on a slot"
        roles = list(self._desk.training[slot.case])
        if self._desk.plan.type == "pairs":
            on_left = roles[1] if slot.flipped else roles[0]
            truth = words("left" if on_left == "synthetic" else "right", language)
        else:
            truth = words("synthetic" if roles[0] == "synthetic" else "real", language)
        own = 1 if Language(language) is Language.ZH else 0
        said = []
        for question in self._desk.questions:
            value = standing.given["answers"].get(question.id)
            option = next((o for o in question.options if o.value == value), None)
            if option is None:
                continue
            chosen = (option.en, option.zh)[own]
            if len(self._desk.questions) > 1:
                said.append(f"{(question.en, question.zh)[own]}{('：' if own else ': ')}{chosen}")
            else:
                said.append(words("you_said", language, said=chosen))
        return {"truth": words("it_is", language, truth=truth), "said": said}

    def _page(self, template: str, language: str, *, whole: bool, **values: Any) -> str:
        chinese = Language(language) is Language.ZH

        def w(key: str, **named: object) -> str:
            return words(key, language, **named)

        def zh_or_en(en: str, zh: str) -> str:
            return zh if chinese else en

        name = "base.html" if whole else template
        return self._templates.get_template(name).render(
            page=template, language=str(Language(language)), w=w, zh_or_en=zh_or_en, **values
        )


def ramp() -> bytes:
    """Return the picture for the check of the screen: 12 grey fields, squares in the end ones."""
    fields = 12
    picture = np.repeat(np.rint(np.linspace(0, 255, fields)).astype(np.uint8), 60)
    found = np.tile(picture, (96, 1))
    found[36:60, 18:42] = 12  # 5 % of the range inside black and white, as in test patterns
    found[36:60, -42:-18] = 243
    return encode(found)
