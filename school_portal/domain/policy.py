"""The settings that no notice decides, with the names that refusals quote (rulebook, head)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


def _setting(default: bool | int, name: str) -> object:
    return field(default=default, metadata={"name": name})


@dataclass(frozen=True, slots=True)
class Policy:
    """Each setting's Chinese name is in its field's metadata."""

    full_time_required: bool = _setting(True, "学习形式须为全日制")  # type: ignore[assignment]
    lower_levels_allowed: bool = _setting(True, "可申报低于直接申报等级的等级")  # type: ignore[assignment]
    specification_closed: bool = _setting(True, "学生不得申报依据企业评价规范的项目")  # type: ignore[assignment]
    once: bool = _setting(True, "同一职业、工种、等级不重复申报")  # type: ignore[assignment]
    choice: bool = _setting(True, "多个职业或多个机构可选时由学校选定")  # type: ignore[assignment]
    group_size: int = _setting(200, "每份团体申报的人数上限")  # type: ignore[assignment]


def clause(setting: str) -> str:
    """本平台规则： and the setting's name."""
    names = {one.name: one.metadata["name"] for one in fields(Policy)}
    return f"本平台规则：{names[setting]}"
