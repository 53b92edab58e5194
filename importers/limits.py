"""What a file may cost, and how a file is refused."""

from dataclasses import dataclass

from school_portal.domain.violations import Issue, issue

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one file and of the process that reads it; sizes in bytes, times in seconds."""

    file_bytes: int = 50 * _MIB
    expanded_bytes: int = 1024 * _MIB
    # Deflate reaches 1032; a sheet of nothing but styled cells reaches about 100.
    ratio: int = 250
    ratio_from_bytes: int = 16 * _MIB
    entries: int = 10_000
    sheets: int = 200
    # 200,000 students, a title, the totals.
    rows: int = 200_200
    # As wide as the oldest format allows.
    columns: int = 256
    # Readers keep a sheet as a dense block, its empty cells included.
    cells: int = 12_000_000
    # Of a picture: an A3 sheet at 600 dots an inch.
    pixels: int = 70_000_000
    memory_bytes: int = 1536 * _MIB
    cpu_seconds: int = 120
    # How long the reading process may say nothing before it counts as stuck.
    silence_seconds: float = 150


LIMITS = Limits()


class Refused(Exception):
    """The whole file is refused; `issue` says why."""

    def __init__(self, refusal: Issue) -> None:
        super().__init__(refusal.code)
        self.issue = refusal

    @classmethod
    def because(cls, code: str, detail: str = "") -> "Refused":
        """A refusal with a `file.*` code of the contract; `detail` completes its text."""
        return cls(issue(code, detail=f"（{detail}）" if detail else ""))
