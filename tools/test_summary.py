"""Adds up JUnit reports into the closing line 'N passed, N failed, N skipped'.

usage: test_summary.py FOLDER BROKEN    BROKEN is 1 when a runner itself exited non-zero.
Exits 1 when anything failed, when a runner broke, or when nothing ran at all.
"""

import pathlib
import sys
import xml.etree.ElementTree


def tally(report):
    """The (passed, failed, skipped) of one report, counted case by case."""
    passed = failed = skipped = 0
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        outcomes = {child.tag for child in case}
        if outcomes & {"failure", "error"}:
            failed += 1
        elif "skipped" in outcomes:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main():
    folder, broken = pathlib.Path(sys.argv[1]), sys.argv[2] != "0"
    totals = [tally(report) for report in sorted(folder.glob("*.xml"))]
    passed, failed, skipped = (sum(column) for column in zip(*totals)) if totals else (0, 0, 0)
    if failed == 0 and (broken or passed == 0):
        failed = 1  # a runner that died without naming a test must not look green
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
