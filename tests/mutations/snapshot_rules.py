# SPDX-License-Identifier: Apache-2.0
"""Each rule that keeps a snapshot safe has a test that fails without it.

usage: snapshot_rules.py BUILD [NAME...]

Copies the repository, and for each rule changes the line that makes it, builds
and runs the rule's test, which must fail; then puts the line back.  At the end
all of these tests must pass on the unchanged copy.  Minutes: not part of
`make check`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List

REPOSITORY = Path(__file__).resolve().parents[2]
SNAPSHOT = "tests/e2e/test_snapshot.py"
HOME = "tests/e2e/test_snapshot_home.py"
GATES = "tests/e2e/test_snapshot_gates.py"
ZONES = "tests/e2e/test_snapshot_zones.py"
STANDBY = "tests/e2e/test_snapshot_standby.py"
PROCESSOR = "tests/e2e/test_snapshot_processor.py"
PATTERNS = "tests/e2e/test_snapshot_patterns.py"
ENVIRONMENT = "tests/e2e/test_snapshot_environment.py"


@dataclass
class Rule:
    file: str
    old: str  # occurs once
    new: str
    test: str


def left_out(case: str) -> str:
    return f"{SNAPSHOT}::test_module_is_left_out[{case}]"


def told(scenario: str) -> str:
    return f"{STANDBY}::test_nobody_can_tell[restored-{scenario}]"


WATCH = "packer/snapshot_watch.py"
VARIABLES_WATCH = "packer/snapshot_variables_watch.py"
DIRECT = "importer/standby_direct.c"
ZONE_WATCH = "packer/snapshot_zone_watch.py"
RULES: Dict[str, Rule] = {
    "entropy": Rule(WATCH, '    "urandom getrandom cpu_count', '    "cpu_count',
                    left_out("entropy")),
    "entropy-of-OpenSSL": Rule(WATCH, '"RAND_bytes RAND_pseudo_bytes RAND_add"', '""',
                               left_out("bytes of OpenSSL")),
    "generators": Rule(WATCH, "                if is_unseeded(self):\n",
                       "                if False:\n", left_out("generator")),
    "variables-of-a-session": Rule(WATCH, "    return name in PERSONAL or ", "    return ",
                                   left_out("session")),
    "variables-set-too-early": Rule(
        VARIABLES_WATCH, "if self.order.index(module) > first}", "if False}",
        f"{ENVIRONMENT}::test_others_are_left_out[after what is left out]"),
    "variables-set-by-others": Rule(
        VARIABLES_WATCH, "for name, reader in self.read_when_set if", "for name, reader in () if",
        f"{ENVIRONMENT}::test_others_are_left_out[and left out]"),
    "variables-of-constructors": Rule(
        "runtime/library_watch.c", "        tell_variable('=', name);\n", "",
        f"{ENVIRONMENT}::test_constructors_before_others_are_left_out"),
    "processors-that-are-asked": Rule(
        "runtime/library_cpu.c", "watched.asked || !watched.trial;", "watched.asked;",
        f"{PROCESSOR}::test_who_asks[import]"),
    "processors-of-constructors": Rule(
        "runtime/library_construct.c", "    pexcz_cpu_trial(false);\n", "",
        f"{PROCESSOR}::test_who_asks[constructor]"),
    "bytes-that-may-ask": Rule(
        "runtime/library_cpu.c", "kind == KIND_UNKNOWN\n", "false\n",
        f"{PROCESSOR}::test_who_asks[assembler]"),
    "the-locale's-name": Rule(
        "packer/snapshot_locale_watch.py", "if place != 1 or", "if",
        f"{ENVIRONMENT}::test_names_are_left_out[first]"),
    "another-encoding": Rule(
        "runtime/snapshot_restore.c", "header->encoding_is_read != 0", "false",
        f"{ENVIRONMENT}::test_encodings"),
    "homes-of-other-shapes": Rule(
        "packer/add_snapshot.c", "rc == PEXCZ_OK && reads_home(a)",
        "rc == PEXCZ_OK && !a.len && reads_home(a)", f"{HOME}::test_module_is_left_out[size]"),
    "questions-about-the-home": Rule(
        "packer/snapshot_home_watch.py",
        '        self.blame("os.environ", "depends on what $HOME is")', "        pass",
        f"{HOME}::test_modules_are_left_out"),
    "methods-of-the-home": Rule(
        "packer/snapshot_home_watch.py", "for name in TEXT_METHODS:", "for name in ():",
        f"{HOME}::test_modules_are_left_out"),
    "patterns-and-the-home": Rule(
        "packer/snapshot_home_watch.py", "for name in PATTERN_METHODS:", "for name in ():",
        f"{HOME}::test_modules_are_left_out"),
    "paths-of-other-lengths": Rule(
        "packer/snapshot_home_watch.py", "        self.watch_equality(pure)\n", "",
        f"{HOME}::test_modules_are_left_out"),
    "all-variables": Rule(WATCH, '"reads the whole environment")', '"") if 0 else None',
                          left_out("environment")),
    "variables-become-gates": Rule(
        WATCH, "            self.gate.append(name)", "            pass",
        f"{SNAPSHOT}::test_environment_gate"),
    "setting-a-variable": Rule(WATCH, 'event == "os.putenv"', 'event == "-"',
                               left_out("set")),
    "threads": Rule(WATCH, 'THREADS = ("start_new_thread", "start_joinable_thread")',
                    "THREADS = ()", left_out("thread")),
    "open-files": Rule(WATCH, '        if event == "open":', '        if event == "-":',
                       left_out("open file")),
    "folders": Rule(WATCH, 'event in ("os.listdir", "os.scandir")', 'event == "-"',
                    left_out("folder")),
    "sockets": Rule(WATCH, '"resource", "shutil", "smtplib", "socket",',
                    '"resource", "shutil", "smtplib",', left_out("socket")),
    "children": Rule(WATCH, '"sqlite3", "subprocess",', '"sqlite3",', left_out("child")),
    "the-clock": Rule(WATCH, '"time time_ns monotonic monotonic_ns', '"time time_ns',
                      left_out("clock")),
    "the-time-zone": Rule(ZONE_WATCH, '("tzname", "timezone", "altzone", "daylight")', "()",
                          left_out("time zone")),
    "names-of-the-zone": Rule(ZONE_WATCH, '("timezone", "tzname", "daylight", ', "(",
                              f"{ZONES}::test_who_asks_for_names_is_left_out[a zone]"),
    "patterns-of-the-zone": Rule(
        ZONE_WATCH, "zoned_patterns(table) != zoned_patterns(names_table(names))", "False",
        f"{ZONES}::test_who_asks_for_names_is_left_out[patterns of its own]"),
    "zones-of-files": Rule(ZONE_WATCH, '"__getattribute__ __setattr__', '"__setattr__',
                           f"{ZONES}::test_zones_of_files[tzdata]"),
    "zones-without-files": Rule(ZONE_WATCH, "if module.tzfile not in type(found).__mro__:",
                                "if False:", f"{ZONES}::test_zones_of_files[tzdata]"),
    "numbers-of-threads": Rule(WATCH, '        self.wrap(_thread, "get_ident", for_locks)\n',
                               "", left_out("thread number")),
    "certificates": Rule(WATCH, "        self.watch_contexts()\n", "",
                         left_out("certificates")),
    "importers": Rule("packer/snapshot_trace.py",
                      "                chains[importer] = (importer, *chains[name])\n"
                      "                queue.append(importer)\n",
                      "                chains[importer] = (importer, *chains[name])\n",
                      "tests/e2e/test_snapshot_report.py::test_modules_and_reasons"),
    "another-environment": Rule(
        "runtime/snapshot_environment.c",
        "                          : now == NULL || strcmp(now, value + 1) != 0) {\n"
        "            return false;",
        "                          : now == NULL || strcmp(now, value + 1) != 0) {\n"
        "            return true;",
        f"{SNAPSHOT}::test_environment_gate"),
    "variables-of-Python": Rule(
        "runtime/snapshot_environment.c", "        if (is_python_setting(*pair, seed)) {",
        "        if (false && is_python_setting(*pair, seed)) {",
        f"{SNAPSHOT}::test_variables_of_python[env0-environment variable]"),
    "features-of-the-processor": Rule(
        "stdlib-blob/linker_script.py",
        '"*:*-crc64_fast.o", "*:*-x86_64cpuid.o", "*:*-lib-cpuid.o"',
        '"*:*-crc64_fast.o", "*:*-lib-cpuid.o"',
        f"{GATES}::test_cpu_features_are_those_of_the_process"),
    "sum-of-the-header": Rule(
        "runtime/snapshot_header.c",
        "|| h->size > snapshot.len || h->sum != pexcz_snapshot_header_sum(h)",
        "|| h->size > snapshot.len",
        f"{SNAPSHOT}::test_damage_means_an_ordinary_boot"),
    "sum-of-the-tables": Rule(
        "runtime/snapshot_header.c",
        "\n        || XXH3_64bits(snapshot.ptr + h->tables, "
        "(size_t)(h->size - h->tables))\n               != h->tables_sum) {", ") {",
        f"{SNAPSHOT}::test_damage_means_an_ordinary_boot"),
    "another-file": Rule(
        "runtime/snapshot_header.c",
        "|| memcmp(own.app_id, h->app_id, sizeof(own.app_id)) != 0", "",
        f"{GATES}::test_snapshot_of_another_file"),
    "size-of-the-file": Rule(
        "runtime/locate.c", "            && (whole || is_in_file(bytes))) {", ") {",
        f"{GATES}::test_snapshot_cut_short"),
    "two-dumps": Rule(
        "packer/add_snapshot.c", "    if (i == n && a.len == b.len) {",
        "    if (i <= n) {",
        f"{SNAPSHOT}::test_two_that_differ_are_no_snapshot"),
    "the-working-directory": Rule(
        "runtime/snapshot_restore.c", "header->needs_cwd != 0 && !has_cwd()", "!has_cwd()"
        " && false",
        f"{SNAPSHOT}::test_working_directory_is_kept_by_name"),
    "features-for-openssl": Rule(
        "runtime/snapshot_restore.c", "    if (pexcz_snapshot_objects.has_openssl != 0) {",
        "    if (false) {", f"{GATES}::test_cpu_features_are_those_of_the_process"),
    "standard-streams": Rule(
        "runtime/snapshot_restore.c", "    if (!streams_are_usual()) {",
        "    if (false && !streams_are_usual()) {", f"{SNAPSHOT}::test_closed_streams"),
    "finders-of-standby": Rule(DIRECT, "&& has_finders();", "&& (has_finders() || true);",
                               told("entry_finder")),
    "classes-of-finders": Rule(DIRECT, "if (usual.types[i]->tp_version_tag",
                               "if (false && usual.types[i]->tp_version_tag",
                               told("finder_class")),
    "functions-of-importlib": Rule(DIRECT, "if (pexcz_standby_version(usual.parts[i])",
                                   "if (false && pexcz_standby_version(usual.parts[i])",
                                   told("importlib_function")),
    "audit-of-imports": Rule(DIRECT, "interpreter->audit_hooks != NULL", "false",
                             told("audited")),
    "path-of-standby": Rule(DIRECT, '&& begins_with("path", usual.path)', "", told("path")),
    "modules-in-place-of-standby": Rule(DIRECT, "&& (PyDict_GetItemWithError(modules, m->name)",
                                        "&& (PyDict_GetItemWithError(modules, Py_None)",
                                        told("replaced")),
    "patterns-that-warn": Rule("packer/snapshot_import.py", "        raise Warning\n",
                               "        pass\n",
                               f"{PATTERNS}::test_nobody_can_tell[restored]"),
}  # fmt: skip


class Copy:
    def __init__(self, folder: Path, build: Path) -> None:
        self.folder = folder
        files = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, check=True,
                               capture_output=True).stdout.decode().split("\0")  # fmt: skip
        for name in filter(None, files):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((REPOSITORY / name).read_bytes())
            target.chmod((REPOSITORY / name).stat().st_mode)
        (folder / "build").mkdir()
        for name in "dist", "venv", "pex":
            (folder / "build" / name).symlink_to(build / name)

    def make(self, target: str = "all") -> None:
        done = subprocess.run(["make", "-j2", target], cwd=self.folder, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        if done.returncode != 0:
            raise SystemExit(done.stdout.decode()[-3000:])

    def passes(self, test: str) -> bool:
        done = subprocess.run(
            ["build/venv/bin/python", "tests/run_pytest.py", "-q", "-x", test],
            cwd=self.folder, check=False, capture_output=True,
            env={**os.environ, "PEXCZ_BUILD": str(self.folder / "build")},
        )  # fmt: skip
        if done.returncode not in (0, 1):
            raise SystemExit(done.stdout.decode() + done.stderr.decode())
        return done.returncode == 0

    def survives(self, rule: Rule) -> bool:
        """Whether the test passes without the rule."""
        path = self.folder / rule.file
        text = path.read_text()
        if text.count(rule.old) != 1:
            raise SystemExit(f"{rule.file}: not there once: {rule.old}")
        path.write_text(text.replace(rule.old, rule.new))
        packer = rule.file.startswith("packer/")  # a base takes longer
        self.make("build/bin/pexcz" if packer else "all")
        passed = self.passes(rule.test)
        path.write_text(text)
        return passed


def main() -> int:
    build, names = Path(sys.argv[1]).resolve(), sys.argv[2:] or list(RULES)
    missed: List[str] = []
    with tempfile.TemporaryDirectory(prefix="pexcz-rules-") as folder:
        copy = Copy(Path(folder), build)
        copy.make()
        # One after the other of the packer needs no other base.
        for name in sorted(names, key=lambda n: RULES[n].file):
            alive = copy.survives(RULES[name])
            print(f"{'MISSED' if alive else 'seen':7} without: {name}", flush=True)
            missed += [name] if alive else []
        copy.make()
        wrong = [t for t in sorted({RULES[n].test for n in names}) if not copy.passes(t)]
    for test in wrong:
        print(f"fails on the unchanged copy: {test}")
    print(f"{len(names) - len(missed)} of {len(names)} rules are missed by a test")
    return 1 if missed or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
