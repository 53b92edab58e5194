"""The project's own readings where no notice decides; each has a name on the settings page."""

from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from typing import Any


def _setting(default: Any, name: str) -> Any:
    return dataclass_field(default=default, metadata={"name": name})


@dataclass(frozen=True, slots=True)
class Policy:
    """What eligibility and grouping take from the settings (rulebook 4 and 7, **policy**)."""

    full_time_required: bool = _setting(True, "仅限全日制学生申报")
    lower_levels_allowed: bool = _setting(True, "可申报低于上限的等级")
    enterprise_specification_closed: bool = _setting(True, "企业评价规范项目不对学生开放")
    once: bool = _setting(True, "同一人同一项目不重复申报")
    group_size: int = _setting(200, "每份团体申报人数上限")

    def __post_init__(self) -> None:
        if self.group_size < 1:
            raise ValueError("a group application holds at least one student")


POLICY_NAMES = {setting.name: setting.metadata["name"] for setting in fields(Policy)}
