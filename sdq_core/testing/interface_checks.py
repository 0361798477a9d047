"""Checks of what a plugin states: names, texts, profiles, template, settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sdq_core.characteristics import CharacteristicEvaluation
from sdq_core.errors import SdqError
from sdq_core.hashing import canonical_json
from sdq_core.profiles import load_profile
from sdq_core.study import load_study
from sdq_core.testing.conforming import few, in_both_languages, is_chinese, require
from sdq_core.testing.trial import Trial
from sdq_core.vocabulary import Characteristic

__all__ = [
    "check_import_is_light",
    "check_measure_ids",
    "check_measures_are_documented",
    "check_names",
    "check_profiles_load",
    "check_rules_are_documented",
    "check_settings_are_checked",
    "check_study_template_loads",
]

_NAME: Final = re.compile("[a-z][a-z0-9_]*")
_RULE: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_-]*)?")
_UNKNOWN: Final = "no_such_setting"


def check_names(trial: Trial) -> None:
    """Check that modality and describer have names, a version, and settings of plain data.

    The store keys descriptions by them: a describer without a version keeps its old descriptions
    for ever.
    """
    modality = trial.modality
    require(
        isinstance(modality.name, str) and _NAME.fullmatch(modality.name),
        f"its name is {modality.name!r}; use lower-case letters, digits and underscores",
    )
    missing = modality.check_requirements()
    require(missing is None, f"cannot work here: {missing}")
    study = modality.prepared(trial.study(trial.cohort("small"), small=True))
    describer = modality.describer(study)
    for key in ("name", "version"):
        value = getattr(describer, key, None)
        require(
            isinstance(value, str) and value.strip(),
            f"the describer's {key} is {value!r}; give a text that is not empty",
        )
    try:
        canonical_json(dict(describer.settings))
    except (TypeError, ValueError) as error:
        require(False, f"the describer's settings are not JSON-ready ({error}); use plain values")


def check_import_is_light(trial: Trial) -> None:
    """Check that importing the plugin, and asking for its name, loads no heavy module.

    ``sdq --help``, ``sdq init`` and ``sdq doctor`` look at every installed plugin.
    """
    heavy = trial.probe.heavy
    require(
        not heavy,
        f"importing {trial.example.modality.__module__} loads {few(heavy)}; import them inside the "
        "functions that use them",
    )


def check_study_template_loads(trial: Trial) -> None:
    """Check that what ``sdq init`` writes is a study file of this modality that loads."""
    file = trial.empty_folder("template") / "study.yaml"
    file.write_text(trial.modality.study_template(), encoding="utf-8")
    try:
        study = load_study(file)
    except SdqError as error:
        require(False, f"study_template() does not load: {error}")
        return
    require(
        study.modality == trial.modality.name,
        f"study_template() is of modality {study.modality!r}; write {trial.modality.name!r}",
    )


def check_profiles_load(trial: Trial) -> None:
    """Check that every shipped profile loads, judges measures that exist, and gives reasons.

    A criterion of a measure that nobody makes would end every study with "not assessed".
    """
    modality = trial.modality
    folder = modality.profile_folder()
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    require(
        modality.default_profile in names,
        f"the default profile {modality.default_profile!r} is not in profile_folder() "
        f"({few(names) or 'no *.yaml'}); add it, and package it with the distribution",
    )
    known = {i for evaluation in _evaluations(trial) for i in evaluation.ids}
    for name in names:
        try:
            profile = load_profile(name, folder, modality.name, modality.default_profile)
        except SdqError as error:
            require(False, f"profile {name!r} does not load: {error}")
            return
        for criterion in profile.criteria:
            require(
                criterion.id in known,
                f"profile {name!r}: {criterion.id} is a measure that no evaluation names in its "
                "parts; correct the id or remove the criterion",
            )
            require(
                in_both_languages(criterion.reason, criterion.reason_zh) and criterion.source,
                f"profile {name!r}: {criterion.id} needs reason, reason_zh and source",
            )


def check_measure_ids(trial: Trial) -> None:
    """Check that ids are ``<modality>.<characteristic>.<measure>``, each once, in order."""
    evaluations = _evaluations(trial)
    order = [list(Characteristic).index(e.characteristic) for e in evaluations]
    require(
        order == sorted(set(order)),
        "characteristics() must give each characteristic at most once, in the standard's order: "
        f"{', '.join(Characteristic)}",
    )
    ids = [i for evaluation in evaluations for i in evaluation.ids]
    require(ids, "characteristics() names no measure; give at least one evaluation")
    twice = sorted({i for i in ids if ids.count(i) > 1})
    require(not twice, f"the measure {few(twice)} stands in two parts; name each once")
    for evaluation in evaluations:
        start = f"{trial.modality.name}.{evaluation.characteristic}."
        wrong = [
            i
            for i in evaluation.ids
            if not (i.startswith(start) and _NAME.fullmatch(i.removeprefix(start)))
        ]
        require(not wrong, f"the id {few(wrong)} must be {start}<measure>, in lower case")
    made = trial.run("fresh").measurements
    strange = sorted({m.id for m in made} - set(ids))
    require(not strange, f"the measure {few(strange)} is given, but no part names it; name it")
    lost = [i for i in ids if i not in {m.id for m in made}]
    require(
        not lost, f"the part of {few(lost)} gives no such measurement; give a value or a reason"
    )
    keys = [m.key for m in made]
    again = sorted({k for k in keys if keys.count(k) > 1})
    require(not again, f"the measurement {few(again)} is given twice; tell them apart by variant")


def check_measures_are_documented(trial: Trial) -> None:
    """Check that each measure has title and plain explanation in both languages.

    A measurement without texts stands in the report under its id, and a text without measurement
    promises what nobody measures.
    """
    texts = trial.modality.measures()
    ids = [i for evaluation in _evaluations(trial) for i in evaluation.ids]
    without = [i for i in ids if i not in texts]
    require(not without, f"measures() lacks {few(without)}; add its texts to measures.yaml")
    idle = sorted(set(texts) - set(ids))
    require(
        not idle,
        f"measures() explains {few(idle)}, which no part names; for a shared measure that the "
        "modality does not have write `id: null` in measures.yaml",
    )
    for id_, text in texts.items():
        require(
            in_both_languages(text.title, text.title_zh)
            and in_both_languages(text.says, text.says_zh)
            and is_chinese(text.method_zh),
            f"measures(): {id_} needs title, title_zh, says, says_zh and method_zh, each in its "
            "own language",
        )


def check_rules_are_documented(trial: Trial) -> None:
    """Check that each rule of the plugin's rule books has a sentence in both languages."""
    for book in trial.example.rule_books:
        require(
            book.modality == trial.modality.name,
            f"a rule book is of modality {book.modality!r}; write {trial.modality.name!r}",
        )
        for rule, (_, english, chinese) in book.rules.items():
            require(
                _RULE.fullmatch(rule.removeprefix(f"{book.modality}.")),
                f"the rule {rule!r} must be <rule> or <area>.<rule>, in lower case",
            )
            require(
                in_both_languages(english, chinese),
                f"the rule {rule!r} needs a sentence in English and one in Chinese",
            )


def check_settings_are_checked(trial: Trial) -> None:
    """Check that an unknown setting is an error that names it."""
    study = trial.study(trial.cohort("small"), small=True)
    spoilt = study.model_copy(update={"settings": {**study.settings, _UNKNOWN: 1}})
    try:
        prepared = trial.modality.prepared(spoilt)
        for source in prepared.cohorts.values():
            trial.modality.items(source.path, prepared.settings)
        trial.modality.describer(prepared)
    except SdqError as error:
        require(
            _UNKNOWN in str(error),
            f"the error about an unknown setting does not name it: {error}",
        )
        return
    require(
        False,
        f"the unknown setting {_UNKNOWN!r} was taken without a word; refuse it with a StudyError, "
        "e.g. by a pydantic model with extra='forbid'",
    )


def _evaluations(trial: Trial) -> Sequence[CharacteristicEvaluation]:
    study = trial.run("fresh").cohorts.study
    return trial.modality.characteristics(study)
