"""The forms against the annexes, word by word, and whatever people may write into them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.texts import trimmed
from school_portal.printing.forms import (
    AccountLine,
    Form,
    ProjectLine,
)
from school_portal.printing.glyphs import drawable
from school_portal.printing.rendering import render
from school_portal.printing.samples import SAMPLES
from tests.unit.printing.examples import (
    ACCOUNT,
    BLANK_ACCOUNT,
    BLANK_EVALUATION,
    EVALUATION,
    NOTICE,
    OPINION,
)
from tests.unit.printing.reading import codes, ink_outside, pages, rules

# Between head and foot, in the annexes' order.
ANNEX_1 = (
    "附件1：职业技能评价专业评估申请表申请学校名称法人代表负责人（分管领导）联系方式联系人联系方式"
    "联系地址申请专业及申报职业（工种）序号申请专业名称申报职业（工种）名称等级申请学校意见"
    "盖章：日期：年月日说明："
    "1.申请材料包括职业技能评价专业评估申请表及各申请专业的人才培养方案等佐证材料。"
    "2.申请专业按需可申报多个职业（工种）及等级。"
    "3.可申报职业（工种）名称及等级参照上海市人力资源和社会保障局官网“关于本市职业技能等级认定评价"
    "机构及评价职业工种信息公告”相关内容填写。"
    "4.申请材料一式三份并加盖学校公章。"
)
ANNEX_2 = (
    "附件2：上海市人力资源和社会保障自助经办平台职业技能评价团体申报开户申请表（学校）"
    "学校名称法人代表所属区负责人（分管领导）联系方式（手机）联系人联系方式（手机）"
    "平台操作人员姓名平台操作人员身份证号对应的经办人keyID是否双证融通项目否"
    "申请的职业（工种）及等级职业（工种）名称等级申报单位意见"
    "经办人：日期：年月日申报单位（盖章）：日期：年月日说明："
    "1.此表签字盖章后原件交至天山路1800号4号楼1楼窗口，联系电话62748577-4112。"
    "2.“对应的经办人keyID”，请填写“通过协卡助手——证书管理——签名证书——通用实体唯一标识号”"
    "下的完整字符。"
)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (BLANK_EVALUATION, ANNEX_1),
        (replace(BLANK_EVALUATION, training_level=TrainingLevel.HIGHER), ANNEX_1),
        (BLANK_ACCOUNT, ANNEX_2),
    ],
    ids=["annex 1, secondary", "annex 1, higher", "annex 2"],
)
def test_a_blank_form_has_the_annexs_words_in_its_order(form: Form, words: str) -> None:
    head = f"编号：{form.number}状态：{form.status_text}出具日期：2026年10月12日扫码核验"
    first = pages(render(form))[0]
    assert first.startswith(head + words + "第1页/共1页")


@pytest.mark.parametrize(
    ("form", "lines"),
    [
        # The fields' rows and their top, the heads, the annex's rows, the opinion.
        (BLANK_EVALUATION, 5 + 2 + 8 + 1),
        (replace(BLANK_EVALUATION, training_level=TrainingLevel.HIGHER), 5 + 2 + 10 + 1),
        (BLANK_ACCOUNT, 6 + 1 + 10 + 1),
    ],
    ids=["annex 1, secondary", "annex 1, higher", "annex 2"],
)
def test_a_blank_form_has_the_annexs_rows(form: Form, lines: int) -> None:
    assert rules(render(form)) == lines


def test_every_field_stands_behind_its_caption() -> None:
    text = pages(render(EVALUATION))[0]
    for pair in (
        "申请学校名称上海市示例职业技术学校法人代表示例甲",
        "（分管领导）示例乙联系方式021-00000001联系人示例丙联系方式021-00000002",
        "联系地址上海市示例区示例路1号",
        "1数控技术应用车工四级/中级工2数控技术应用铣工四级/中级工",
        "日期：2026年10月12日",
    ):
        assert pair in text
    text = pages(render(ACCOUNT))[0]
    for pair in (
        "学校名称上海市示例职业技术学校法人代表示例甲所属区示例区",
        "联系方式（手机）10000000001联系人示例丙联系方式（手机）10000000002",
        "身份证号000000200001010000",
        "双证融通项目是",
        "经办人：示例丙日期：2026年10月12日",
    ):
        assert pair in text
    assert ACCOUNT.operator_key_id in text


@pytest.mark.parametrize(
    ("level", "seals", "none"),
    [
        (
            TrainingLevel.SECONDARY,
            "上海市职业技能鉴定中心（盖章）日期：年月日上海市教育委员会教学研究室（盖章）日期：年月日",
            "职教处",
        ),
        (TrainingLevel.HIGHER, "上海市教委职教处（盖章）日期：年月日", "鉴定中心"),
    ],
)
def test_an_opinion_bears_the_seals_of_its_training_level(
    level: TrainingLevel, seals: str, none: str
) -> None:
    text = pages(render(replace(OPINION, training_level=level)))[0]
    assert seals in text
    assert none not in text
    assert "1示例专家一示例行业协会" in text
    assert "2数控技术应用铣工四级/中级工21通过课程覆盖职业标准主要内容" in text
    assert "四级/中级工12不通过人才培养方案未包含长期照护的实训安排" in text


def test_a_permission_notice_lists_what_was_decided() -> None:
    (text,) = pages(render(NOTICE))
    assert "上海市示例职业技术学校：" in text
    assert "车工四级/中级工准予2026年11月6日" in text
    assert "2职业资格鉴定——焊工四级/中级工不予2026年11月9日专业评估不通过。" in text
    assert "上海市职业技能鉴定中心（盖章）日期：2026年11月9日" in text


ROWS = tuple(
    ProjectLine(f"示例专业{row}", f"示例职业{row}", Level.INTERMEDIATE) for row in range(1, 61)
)


@pytest.mark.parametrize(
    ("form", "head", "copies"),
    [
        (replace(EVALUATION, lines=ROWS), "序号申请专业名称申报职业（工种）名称等级", 3),
        (
            replace(ACCOUNT, lines=tuple(AccountLine(r.occupation, r.level) for r in ROWS)),
            "及等级职业（工种）名称等级",
            1,
        ),
        (
            replace(OPINION, lines=OPINION.lines * 10),
            "序号申请专业名称申报职业（工种）名称等级通过票数不通过票数结论理由",
            1,
        ),
        (
            replace(NOTICE, lines=NOTICE.lines * 30),
            "序号事项名称节点名称职业（工种）名称等级决定日期理由",
            1,
        ),
    ],
    ids=["annex 1", "annex 2", "opinion", "permissions"],
)
def test_sixty_lines_go_over_several_pages_under_repeated_heads(
    form: Form, head: str, copies: int
) -> None:
    printed = pages(render(form))
    last = len(printed) // copies
    assert last > 1
    assert len(printed) == last * copies
    for index, text in enumerate(printed):
        assert form.number in text
        assert f"第{index % last + 1}页/共{last}页" in text
        assert ("四级/中级工" in text) == (head in text)
        assert (f"第{index // last + 1}份/共{copies}份" in text) == (copies > 1)
    assert "".join(printed[:last]).count("级/") == 60


def test_every_page_leads_to_its_records_verification_page() -> None:
    found = codes(render(replace(EVALUATION, lines=ROWS)))
    assert found == [[EVALUATION.verification_url]] * len(found)


@pytest.mark.parametrize("form", [*SAMPLES.values(), NOTICE], ids=lambda form: type(form).__name__)
def test_the_same_form_gives_the_same_bytes(form: Form) -> None:
    assert render(form) == render(form)
    assert render(form) != render(replace(form, number="另一编号"))


def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "import sys, hashlib\n"
        "from school_portal.printing.rendering import render\n"
        "from school_portal.printing.samples import SAMPLES\n"
        "print(hashlib.sha256(render(SAMPLES['annex-1'])).hexdigest())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == sha256(render(EVALUATION)).hexdigest()


@settings(max_examples=60)
@given(st.text(alphabet="#*_$\\[]{}()<>@=+/`~'\"-:;,.%&^|!?ab1 \n示例，。“”", max_size=24))
def test_markup_is_printed_as_it_was_written(text: str) -> None:
    form = replace(EVALUATION, copies=1, address=text)
    printed = pages(render(form))[0]
    literal = "".join(text.split())
    assert f"联系地址{literal}申请专业及" in printed


@settings(max_examples=30)
@given(st.text(max_size=60))
def test_no_text_keeps_a_form_from_being_printed(text: str) -> None:
    form = replace(EVALUATION, copies=1, number=text, school=text, school_opinion=text)
    assert "职业技能评价专业评估申请表" in pages(render(form))[0]


@pytest.mark.parametrize(
    "name", ["𬭩", "䶮", "㛃", "王𬱖", "㙍", "𠮷", "𡃁", "王\U000e0100𠮷\u200b"]
)
def test_rare_characters_are_there(name: str) -> None:
    form = replace(EVALUATION, copies=1, legal_representative=name)
    printed = pages(render(form))[0]
    assert f"法人代表{trimmed(name)}负责人" in printed
    assert "缺字" not in printed


@pytest.mark.parametrize(
    ("name", "shown", "noted"),
    [
        ("王\U0002a6d6", "王[U+2A6D6]", "（U+2A6D6）"),
        ("\U00030000\U00031350甲", "[U+30000U+31350]甲", "（U+30000、U+31350）"),
        ("ئ示例", "[U+0626]示例", "（U+0626）"),
    ],
)
def test_what_no_font_has_is_named(name: str, shown: str, noted: str) -> None:
    form = replace(EVALUATION, legal_representative=name)
    copies = pages(render(form))
    assert f"法人代表{shown}负责人" in copies[0]
    # At the end of each copy.
    told = f"注：方括号内为字库缺字的Unicode编码{noted}，请手写补正。"
    assert "".join(copies).count(told) == form.copies


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(min_codepoint=0x20000, max_codepoint=0x323AF), min_size=1, max_size=3))
def test_a_han_character_is_drawn_or_named(name: str) -> None:
    form = replace(EVALUATION, copies=1, legal_representative=name)
    printed = "".join(pages(render(form)))
    assert all(one in printed or f"U+{ord(one):04X}" in printed for one in name)
    assert drawable(name) == name or "缺字" in printed


@pytest.mark.parametrize("text", ["W" * 300, "0123456789" * 30, "，" * 300, "示例" * 150])
def test_nothing_leaves_its_cell_or_the_paper(text: str) -> None:
    """A text without a place to break, in the narrowest cells, up to the right margin."""
    account = replace(
        ACCOUNT, operator_key_id=text, district=text, lines=(AccountLine(text, Level.JUNIOR),)
    )
    opinion = replace(OPINION, lines=(replace(OPINION.lines[0], reasons=text),))
    for form in (account, opinion):
        pdf = render(form)
        assert not any(ink_outside(pdf, margin=18))
        assert "".join(pages(pdf)).count(text[0]) >= text.count(text[0])


def test_an_opinion_longer_than_a_page_keeps_its_end() -> None:
    form = replace(EVALUATION, copies=1, school_opinion="示例意见。\n" * 120 + "末行")
    printed = pages(render(form))
    assert len(printed) > 2
    assert "末行" in printed[-1]
    assert "盖章：" in printed[-1]
