"""The layering check finds what it is there to find. An ordinary test (ctest, label fast)."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check  # noqa: E402  pylint: disable=wrong-import-position

DEPS = {"base": set(), "io": {"base"}, "wal": {"io"}, "lake": {"io"}}
TEST_DEPS = {"base": set(), "io": set(), "wal": {"lake"}, "lake": set()}
HEADER = ["// What it is for.", "#pragma once"]


def includes(name, line):
    allowed = check.closure({**DEPS, "testing": {"io"}})
    return [text for _, text in
            check.check_includes(check.SOURCES / "wal" / name, [line], allowed, TEST_DEPS)]


def style(name, *lines):
    return [text for _, text in check.check_style(check.SOURCES / "wal" / name, list(lines))]


class Layering(unittest.TestCase):
    def test_includes_down_the_arrows_are_fine(self):
        for target in ("wal/log.h", "io/fs.h", "base/lsn.h"):
            self.assertEqual(includes("log.cc", f'#include "arka/{target}"'), [])

    def test_an_include_across_or_upward_is_found(self):
        self.assertIn("may not include", includes("log.cc", '#include "arka/lake/schema.h"')[0])

    def test_only_tests_reach_what_is_for_tests(self):
        line = '#include "arka/testing/fault_plan.h"'
        self.assertEqual(includes("log_test.cc", line), [])
        self.assertEqual(len(includes("log.cc", line)), 1)
        self.assertEqual(includes("log_test.cc", '#include "arka/lake/schema.h"'), [])

    def test_an_include_that_does_not_name_its_layer_is_found(self):
        self.assertEqual(len(includes("log.cc", '#include "log.h"')), 1)

    def test_a_cycle_is_found(self):
        with self.assertRaises(SystemExit):
            check.closure({"a": {"b"}, "b": {"a"}})


class Style(unittest.TestCase):
    def test_a_header_with_its_comment_is_fine(self):
        self.assertEqual(style("log.h", *HEADER, "class Log {};"), [])

    def test_each_rule_is_found(self):
        self.assertIn("comment", style("log.h", "#pragma once")[0])
        self.assertIn("pragma", style("log.h", "// What it is for.")[0])
        self.assertIn("noun", style("log_utils.h", *HEADER)[0])
        self.assertIn("role", style("log.h", *HEADER, "class LogManager {")[0])
        self.assertIn("TODO", style("log.cc", "// TODO: later")[0])
        self.assertEqual(style("log.cc", "// TODO(ann): sync the directory"), [])
        self.assertIn("columns", style("log.cc", "x" * 101)[0])
        self.assertIn("split", style("log.cc", *["x"] * (check.MAX_LINES + 1))[0])
        self.assertIn("namespace", style("log.h", *HEADER, "using namespace std;")[0])


if __name__ == "__main__":
    unittest.main()
