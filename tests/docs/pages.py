"""The fenced blocks of a Markdown page, and what is to be done with each.

The first word after the fence is the language; `python`, `bash` and `yaml` blocks are run. More
words may follow:
    no-run="why"   not run; the reason is part of the source, so that nothing is skipped unseen
    expected       (after `text`) what the block before printed; `...` stands for anything
"""

import re
from dataclasses import dataclass

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)$")
RUN = ("python", "bash", "yaml")


@dataclass
class Block:
    page: str
    line: int  # of its first line of code
    language: str
    info: str
    code: str

    @property
    def reason_not_to_run(self):
        found = re.search(r'no-run="([^"]+)"', self.info)
        return found[1] if found else None

    @property
    def expected(self):
        return self.language == "text" and "expected" in self.info.split()

    @property
    def where(self):
        return f"{self.page}:{self.line}"


def blocks(path, root):
    """All fenced blocks of the page, in order."""
    found, opened, code = [], None, []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fence = FENCE.match(line)
        if opened is None and fence:
            opened, code = (number + 1, fence["info"].strip(), len(fence["indent"])), []
        elif opened is not None and fence and not fence["info"].strip():
            start, info, indent = opened
            language = info.split()[0] if info else ""
            text = "\n".join(part[indent:] for part in code) + "\n"
            found.append(Block(str(path.relative_to(root)), start, language, info, text))
            opened = None
        elif opened is not None:
            code.append(line)
    assert opened is None, f"{path}: a fence that is never closed, line {opened and opened[0] - 1}"
    return found


def as_pattern(expected):
    """A pattern for text in which `...` stands for anything; runs of blanks count as one."""
    parts = [r"\s+".join(map(re.escape, part.split())) for part in expected.split("...")]
    return re.compile(r"\s*" + r"\s*.*?\s*".join(parts) + r"\s*", re.DOTALL)
