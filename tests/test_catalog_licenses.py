"""License verdicts: every id of the Hub is judged, profiles change verdicts, what nobody read is never passed off."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import BadCatalogData
from catalog.licenses import judge_license, license_ids, parse_rules, same_license
from catalog.records import Model, Profile, Verdict, VerdictValue
from catalog.snapshot import load_starter_models

LISTED_BY_THE_HUB = """
afl-3.0 agpl-3.0 apache-2.0 apple-amlr apple-ascl artistic-2.0 bigcode-openrail-m bigscience-bloom-rail-1.0
bigscience-openrail-m bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0
cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0
cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0
creativeml-openrail-m deepfloyd-if-license ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2
fair-noncommercial-research-license gemma gfdl gpl gpl-2.0 gpl-3.0 grok2-community h-research intel-research isc lgpl
lgpl-2.1 lgpl-3.0 lgpl-lr llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by
ofl-1.1 openmdw-1.0 openmdw-1.1 openrail openrail++ osl-3.0 other pddl postgresql unknown unlicense wtfpl zlib
"""
HUB_IDS = LISTED_BY_THE_HUB.split()

STARTUP = Profile(eu_based=False, monthly_users=0, annual_revenue_usd=0)
"""Commercial, small, outside Europe: what a license says before special terms."""

RULES_PATH = Path(__file__).parents[1] / "catalog" / "data" / "license_rules.json"
RULES = json.loads(RULES_PATH.read_text(encoding="utf-8"))["rules"]
NAMES = [name for rule in RULES for name in rule["license_names"]]

profiles = st.builds(
    Profile,
    commercial=st.booleans(),
    eu_based=st.booleans(),
    monthly_users=st.sampled_from([0, 10_000_001, 100_000_001, 700_000_000, 700_000_001]),
    annual_revenue_usd=st.sampled_from([0, 1_000_000, 1_000_001, 10_000_000, 240_000_001]),
    trains_on_outputs=st.booleans(),
    hosts_or_redistributes=st.booleans(),
)


def _value(license_id: str | None, profile: Profile, name: str | None = None, multimodal: bool | None = None) -> str:
    return judge_license(license_id, profile, license_name=name, multimodal=multimodal).value.value


def test_every_license_id_of_the_hub_is_judged() -> None:
    assert len(HUB_IDS) == 83
    assert list(license_ids()) == sorted(HUB_IDS)
    undecided = {license_id for license_id in HUB_IDS if _value(license_id, STARTUP) == "unknown"}
    assert undecided == {"unknown", "other", "cc"}


@pytest.mark.parametrize("license_id", HUB_IDS)
def test_every_verdict_gives_reasons_with_a_source(license_id: str) -> None:
    _assert_explained(judge_license(license_id, Profile()), license_id)


@pytest.mark.parametrize("name", NAMES)
def test_every_license_name_gives_reasons_with_a_source(name: str) -> None:
    _assert_explained(judge_license("other", Profile(), license_name=name), name)


def _assert_explained(verdict: Verdict, name: str) -> None:
    assert verdict.license == name
    assert verdict.reasons
    assert all(reason.text.endswith(".") and reason.source for reason in verdict.reasons)
    assert all("{" not in (reason.link or "") + reason.source for reason in verdict.reasons)
    unread = any("text itself was not read" in advisory for advisory in verdict.advisories)
    assert unread is not verdict.verified
    assert all((reason.read_on is not None) is verdict.verified for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("license_id", "name", "profile", "expected"),
    [
        ("apache-2.0", None, Profile(), "allowed"),
        ("mit", None, Profile(hosts_or_redistributes=True), "allowed"),
        ("gpl-3.0", None, Profile(), "conditional"),
        ("cc-by-nc-4.0", None, Profile(), "forbidden"),
        ("cc-by-nc-4.0", None, Profile(commercial=False), "conditional"),
        ("apple-amlr", None, Profile(), "forbidden"),
        ("apple-amlr", None, Profile(commercial=False), "conditional"),
        ("llama3.1", None, Profile(), "conditional"),
        ("llama3.1", None, Profile(monthly_users=700_000_000), "conditional"),
        ("llama3.1", None, Profile(monthly_users=700_000_001), "forbidden"),
        ("llama3.1", None, Profile(trains_on_outputs=True), "conditional"),
        ("llama3", None, Profile(trains_on_outputs=True), "forbidden"),
        ("llama2", None, Profile(trains_on_outputs=True), "forbidden"),
        ("llama4", None, Profile(), "forbidden"),
        ("llama4", None, Profile(eu_based=False), "conditional"),
        ("llama3.3", None, Profile(), "conditional"),
        ("grok2-community", None, Profile(trains_on_outputs=True), "forbidden"),
        ("gemma", None, Profile(trains_on_outputs=True, hosts_or_redistributes=True), "conditional"),
        ("other", "stabilityai-ai-community", Profile(annual_revenue_usd=1_000_000), "conditional"),
        ("other", "stabilityai-ai-community", Profile(annual_revenue_usd=1_000_001), "forbidden"),
        ("other", "stabilityai-ai-community", Profile(commercial=False), "conditional"),
        ("other", "lfm1.0", Profile(annual_revenue_usd=9_999_999), "conditional"),
        ("other", "lfm1.0", Profile(annual_revenue_usd=10_000_000), "forbidden"),
        ("other", "qwen", Profile(monthly_users=100_000_000), "conditional"),
        ("other", "qwen", Profile(monthly_users=100_000_001), "forbidden"),
        ("other", "tongyi-qianwen", Profile(trains_on_outputs=True), "forbidden"),
        ("other", "qwen-research", Profile(), "forbidden"),
        ("other", "modified-mit", Profile(annual_revenue_usd=500_000_000), "conditional"),
        ("other", "hyperclovax-seed", Profile(monthly_users=10_000_001), "forbidden"),
        ("unknown", "falcon-180b-tii-license-1.0", Profile(), "conditional"),
        ("unknown", "falcon-180b-tii-license-1.0", Profile(hosts_or_redistributes=True), "forbidden"),
        ("other", "mnpl", Profile(), "forbidden"),
        ("other", "mrl", Profile(), "forbidden"),
        ("other", "kimi-k3", Profile(), "unknown"),
    ],
)
def test_the_profile_decides_what_a_license_means(
    license_id: str, name: str | None, profile: Profile, expected: str
) -> None:
    assert _value(license_id, profile, name) == expected


QUIET = Profile(commercial=False, eu_based=False, monthly_users=0, annual_revenue_usd=0)
"""Nothing in it makes a clause apply."""


@pytest.mark.parametrize(
    ("name", "answer", "before", "after", "words"),
    [
        ("llama3.1", {"monthly_users": 700_000_001}, "conditional", "forbidden", "700 million monthly active users"),
        ("llama3", {"trains_on_outputs": True}, "conditional", "forbidden", "to improve any language model"),
        ("llama4", {"eu_based": True}, "conditional", "forbidden", "European Union"),
        ("cc-by-nc-4.0", {"commercial": True}, "conditional", "forbidden", "your use is commercial"),
        ("apple-amlr", {"commercial": True}, "conditional", "forbidden", "your use is commercial"),
        ("qwen", {"monthly_users": 100_000_001}, "conditional", "forbidden", "100 million monthly active users"),
        ("tongyi-qianwen", {"trains_on_outputs": True}, "conditional", "forbidden", "to improve any language model"),
        ("lfm1.0", {"commercial": True, "annual_revenue_usd": 10_000_000}, "conditional", "forbidden", "revenue"),
        ("stabilityai-ai-community", {"trains_on_outputs": True}, "conditional", "forbidden", "foundation model"),
        ("hyperclovax-seed", {"monthly_users": 10_000_001}, "conditional", "forbidden", "10 million monthly"),
        ("falcon-180b-tii-license-1.0", {"hosts_or_redistributes": True}, "conditional", "forbidden", "host"),
        ("grok2-community", {"trains_on_outputs": True}, "conditional", "forbidden", "foundation models"),
        ("tencent-hunyuan-community", {"eu_based": True}, "conditional", "unknown", "European Union"),
        ("tencent-hunyuan-community", {"trains_on_outputs": True}, "conditional", "forbidden", "improve other"),
    ],
)
def test_one_answer_of_the_profile_changes_the_verdict_and_the_clause_is_named_first_with_its_link(
    name: str, answer: dict[str, bool | int], before: str, after: str, words: str
) -> None:
    one = judge_license(name, QUIET)
    other = judge_license(name, QUIET.model_copy(update=answer))
    assert (one.value.value, other.value.value) == (before, after)
    assert words in other.reasons[0].text
    assert other.reasons[0].text not in [reason.text for reason in one.reasons]
    assert (other.reasons[0].link or "").startswith("https://")


@pytest.mark.parametrize("name", ["gemma", "gpl-3.0", "bigscience-openrail-m", "deepseek", "cc-by-nd-4.0"])
def test_passing_a_model_on_adds_the_clause_about_it(name: str) -> None:
    inside, outside = judge_license(name, QUIET), judge_license(name, Profile(hosts_or_redistributes=True))
    assert len(outside.reasons) > len(inside.reasons)
    assert outside.reasons[0].text not in [reason.text for reason in inside.reasons]


FREQUENT_AND_UNREAD = """
qwen-community-1.0 qwen-community-license-1.0 qwen3.8-max kimi-k3 kimi-k3-license glm-5.3 glm-4 minimax-community
nvidia-nemotron-open-model-license swift-open-license-1.0 iquestcoder lsal-1.2 plamo-community-license k-exaone
health-ai-developer-foundations falcon-mamba-7b-license upstage-solar-license jamba-open-model-license
"""


@pytest.mark.parametrize("name", FREQUENT_AND_UNREAD.split())
def test_frequent_licenses_that_nobody_read_need_review_under_any_profile(name: str) -> None:
    for profile in (QUIET, Profile()):
        verdict = judge_license("other", profile, license_name=name)
        assert verdict.value is VerdictValue.UNKNOWN
        assert not verdict.verified
        assert "not been read for this catalog" in verdict.reasons[0].text


def test_several_licenses_in_one_field_are_all_judged_and_the_strictest_counts() -> None:
    assert _value("llama3.3,gemma", STARTUP) == "conditional"
    assert _value("apache-2.0, mit", STARTUP) == "allowed"
    assert _value("apache-2.0,cc-by-nc-4.0", STARTUP) == "forbidden"
    assert _value("apache-2.0,never-heard-of", STARTUP) == "unknown"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("llama3.1", "Llama 3.1 Community License", True),
        ("lfm1.0", "LFM Open License v1.0", True),
        ("llama3.1", "llama3.3,llama3.1", True),
        ("llama3.1", "llama3", False),
        ("never-heard-of", "Never_Heard of", True),
        ("llama3.1", None, False),
    ],
)
def test_names_of_one_license_are_recognized_as_the_same(one: str, other: str | None, same: bool) -> None:
    assert same_license(one, other) is same


@pytest.mark.parametrize(
    ("multimodal", "eu_based", "expected"),
    [(True, True, "forbidden"), (False, True, "conditional"), (None, True, "unknown"), (None, False, "conditional")],
)
def test_llama_3_2_excludes_europeans_from_multimodal_models_only(
    multimodal: bool | None, eu_based: bool, expected: str
) -> None:
    assert _value("llama3.2", Profile(eu_based=eu_based), multimodal=multimodal) == expected


def test_bsl_on_the_hub_is_the_boost_license() -> None:
    verdict = judge_license("bsl-1.0", Profile())
    assert verdict.value is VerdictValue.ALLOWED
    assert "Boost" in verdict.reasons[0].text


def test_a_license_named_other_is_unknown_until_its_name_is_known() -> None:
    assert _value("other", Profile()) == "unknown"
    assert _value("other", Profile(), "our-own-terms-3") == "unknown"
    assert _value("other", Profile(), "nvidia-open-model-license") == "conditional"


def test_no_license_means_no_permission_rather_than_a_guess() -> None:
    for nothing in (None, "", "  "):
        verdict = judge_license(nothing, Profile())
        assert verdict.value is VerdictValue.UNKNOWN
        assert verdict.license is None
        assert "No license is declared" in verdict.reasons[0].text


@pytest.mark.parametrize("spelling", ["Apache-2.0", "APACHE 2.0", "license:apache-2.0", " apache_2.0 "])
def test_spelling_does_not_change_the_license(spelling: str) -> None:
    assert judge_license(spelling, Profile()) == judge_license("apache-2.0", Profile())


def test_license_names_are_compared_without_case_and_accepted_as_ids() -> None:
    by_name = judge_license("other", Profile(), license_name="Qwen-Research")
    assert by_name.license == "qwen-research"
    assert judge_license("qwen-research", Profile()) == by_name
    assert _value("other", STARTUP, "TII Falcon License 2.0") == "conditional"


def test_an_unknown_name_is_answered_with_similar_ones() -> None:
    verdict = judge_license("other", Profile(), license_name="lama3.1")
    assert verdict.value is VerdictValue.UNKNOWN
    assert "llama3.1" in verdict.reasons[0].text


def test_the_stricter_of_two_named_licenses_wins() -> None:
    assert _value("apache-2.0", Profile(), "qwen-research") == "forbidden"
    assert _value("cc-by-nc-4.0", Profile(), "qwen") == "forbidden"


def test_the_reason_that_decides_comes_first() -> None:
    verdict = judge_license("llama3", Profile(monthly_users=10**9, hosts_or_redistributes=True))
    assert "700 million" in verdict.reasons[0].text
    assert verdict.conditions == ("Ask Meta for a separate license before you use it.",)


def test_copyleft_duties_are_said_to_begin_with_distribution() -> None:
    inside = judge_license("gpl-3.0", Profile())
    outside = judge_license("gpl-3.0", Profile(hosts_or_redistributes=True))
    assert any("inside your own organization" in advisory for advisory in inside.advisories)
    assert "share-alike duties" in outside.reasons[0].text


@pytest.mark.parametrize("model", load_starter_models(), ids=lambda model: model.id)
def test_every_starter_model_has_a_license_that_the_rules_know(model: Model) -> None:
    verdict = judge_license(model.license, Profile(), license_name=model.license_name)
    assert "not among those judged" not in verdict.reasons[0].text
    assert "No license is declared" not in verdict.reasons[0].text


@given(
    st.sampled_from([*HUB_IDS, *NAMES, "never-heard-of", None]),
    profiles,
    profiles,
    st.sampled_from([True, False, None]),
)
def test_a_stricter_profile_never_gets_a_more_permissive_verdict(
    license_id: str | None, one: Profile, two: Profile, multimodal: bool | None
) -> None:
    both = {field: max(getattr(one, field), getattr(two, field)) for field in Profile.model_fields}
    strict = judge_license(license_id, Profile(**both), multimodal=multimodal)
    lax = judge_license(license_id, one, multimodal=multimodal)
    assert strict.value.strictness >= lax.value.strictness
    assert strict.reasons
    assert lax.reasons


@given(st.text(max_size=40), st.none() | st.text(max_size=40))
def test_any_text_gets_a_verdict_and_never_permission(license_id: str, name: str | None) -> None:
    verdict = judge_license("zz" + license_id, Profile(), license_name=name)
    assert verdict.value in {VerdictValue.UNKNOWN, VerdictValue.FORBIDDEN}


def test_damaged_rules_are_reported_in_a_sentence() -> None:
    with pytest.raises(BadCatalogData, match=r"damaged at .*Reinstall"):
        parse_rules("{")
    with pytest.raises(BadCatalogData, match="damaged at rules"):
        parse_rules('{"notice": "", "rules": [{"title": 3}]}')


def test_a_license_may_have_one_rule_only() -> None:
    rule = {"title": "A", "base": "allowed", "summary": "A.", "source": "s", "read_on": None, "link": None}
    doubled = {"notice": "", "rules": [{**rule, "ids": ["mit"], "verified": False}] * 2}
    with pytest.raises(BadCatalogData, match="mit more than once"):
        parse_rules(json.dumps(doubled))


def test_a_user_limit_without_a_number_is_refused() -> None:
    clause = {"kind": "users_above", "verdict": "forbidden", "sentence": "Too many."}
    rule = {"title": "A", "base": "allowed", "summary": "A.", "source": "s", "read_on": None, "link": None}
    book = {"notice": "", "rules": [{**rule, "ids": ["a"], "verified": False, "clauses": [clause]}]}
    with pytest.raises(BadCatalogData, match="'users_above' of 'A' has threshold None"):
        parse_rules(json.dumps(book))


REFERENCE = os.environ.get("OMW_REFERENCE_DATA")
TRANSLATION = {
    "allowed": "allowed",
    "allowed_with_conditions": "conditional",
    "not_allowed": "forbidden",
    "unknown": "unknown",
}
READ_SINCE = {"lfm1.0": "conditional", "tencent-hunyuan-community": "conditional"}
"""Names whose text was read after the reference table was made, with the verdict of the text."""


@pytest.mark.skipif(
    REFERENCE is None,
    reason="set OMW_REFERENCE_DATA to a folder with hub_licenses.json to compare all verdicts with that table",
)
def test_verdicts_agree_with_the_reference_table() -> None:
    table = json.loads((Path(REFERENCE or "") / "hub_licenses.json").read_text(encoding="utf-8"))
    expected = {row["id"]: TRANSLATION[row["commercial"]] for row in table["hub_ids"]}
    for row in table["license_name_other"]:
        # A name with a parenthesis is a remark about several repositories, not a license name.
        expected |= {name: TRANSLATION[row["commercial"]] for name in row["license_names"] if "(" not in name}
    expected |= READ_SINCE
    assert {name: _value(name, STARTUP) for name in expected} == expected
