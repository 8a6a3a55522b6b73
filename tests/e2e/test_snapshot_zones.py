# SPDX-License-Identifier: Apache-2.0
"""Time zones that modules keep when they are imported are those of the start."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Callable, Dict, List

import pytest
from conftest import App, run
from pexes import CONSTRAINTS
from snapshot_report import left_out

# python-dateutil 2.9, which has an archive of zones; 4 has tzdata.
VERSIONS = [CONSTRAINTS.with_name("constraints_data.txt"), CONSTRAINTS]
ZONES = [{}, {"TZ": "Europe/Berlin"}, {"TZ": "XYZ-3ABC"}, {"TZ": "<17>-3"}]

TABLES = """\
    import _strptime, re, time
    from _strptime import LocaleTime, TimeRE

    class Own(TimeRE):
        def __init__(self):
            super().__init__()
            self["f"] = "(?P<f>[0-9]{1,9})"

    OWN, NAMES = Own(), LocaleTime()
    SAME = TimeRE(NAMES)
    PATTERN = OWN.compile("%d %B %f")

    def in_order(value):
        # Members of sets have the order of their hashes.
        if isinstance(value, (tuple, list)):
            return [in_order(item) for item in value]
        return sorted(value) if isinstance(value, frozenset) else value

    def words(pattern):
        return sorted(re.findall(r"\\w+|\\W", pattern))

    def main():
        for table in OWN, SAME, _strptime._TimeRE_cache, TimeRE():
            names = table.locale_time
            print([(k, words(table[k])) for k in sorted(table)])
            print([(k, in_order(vars(names)[k])) for k in sorted(vars(names))])
            print(words(table.compile("%c %Z").pattern), names is NAMES)
        print(PATTERN.match("3 may 123456789").groups(), time.tzname)
    """


@pytest.fixture(scope="module")
def tables(make_app: Callable[..., App]) -> App:
    app = make_app("-e", "tables:main", sources={"tables.py": dedent(TABLES)})
    assert left_out(app.exe) == []
    return app


def same(exe: Path, env: Dict[str, str], *before: str) -> bytes:
    """What a start from the snapshot prints, which is what another one does."""
    env = {"LANG": "C.UTF-8", **env}
    got, want = (
        run([*before, exe], env={**env, "PEXCZ_SNAPSHOT": how}) for how in ("explain", "0")
    )
    assert (got.code, got.out, got.err) == (want.code, want.out, want.err)
    assert got.code == 0 and got.err == b""
    return got.out


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone.get("TZ", "none"))
def test_names_of_the_zone(tables: App, zone: Dict[str, str]) -> None:
    out = same(tables.exe, zone)
    assert (b"xyz" in out) == (zone.get("TZ") == "XYZ-3ABC")


ASKING = {
    "a zone": "VALUE = LocaleTime().timezone",
    "a format": "VALUE = LocaleTime().LC_time",
    "a pattern": "VALUE = TimeRE()['Z']",
    "all patterns": "VALUE = dict(TimeRE().items())",
    "a composed pattern": "VALUE = TimeRE().compile('%d %Z')",
    "names of its own": "class Own(LocaleTime): pass\nVALUE = Own()",
    "patterns of its own":
        "class Own(TimeRE):\n    def __init__(self):\n        super().__init__()\n"
        "        self['Z'] = 'x'\nVALUE = Own()",
}  # fmt: skip


@pytest.mark.parametrize("text", ASKING.values(), ids=ASKING)
def test_who_asks_for_names_is_left_out(make_app: Callable[..., App], text: str) -> None:
    source = f"from _strptime import LocaleTime, TimeRE\n{text}\ndef main(): print(VALUE is None)\n"
    app = make_app("-e", "asks:main", sources={"asks.py": source})
    assert [line.partition(":")[0] for line in left_out(app.exe)] == ["asks"]
    assert same(app.exe, {"TZ": "XYZ-3ABC"}) == b"False\n"


KEEPS = """\
    from dateutil.tz import gettz, tzfile
    UTC, BERLIN = gettz("UTC"), gettz("Europe/Berlin")
    FOUND = {zone: isinstance(zone, tzfile) for zone in [UTC] if zone is not BERLIN}
    """
LOOKS = """\
    from datetime import datetime
    from dateutil.tz import gettz
    OFFSET = datetime(2020, 1, 1, tzinfo=gettz("Europe/Paris")).utcoffset()
    """
USER = """\
    import keeps, sys
    from keeps import BERLIN, UTC
    from datetime import datetime

    def main():
        import looks, nowhere
        from dateutil.tz import gettz
        for zone in UTC, BERLIN:
            print(repr(zone), type(zone), sorted(vars(zone)))
            print([datetime(2020, m, 1, tzinfo=zone).isoformat() for m in (1, 7)])
        print(gettz("UTC") is UTC, gettz("Europe/Berlin") is BERLIN, gettz("UTC") == UTC)
        print(looks.OFFSET, nowhere.VALUE, sorted(n for n in sys.modules if "zoneinfo" in n))
        if "dateutil.zoneinfo" in sys.modules:
            archive = sys.modules["dateutil.zoneinfo"].get_zonefile_instance()
            print(archive.get("UTC") is UTC, archive.get("Zulu") is UTC)
    """


def keeper(make_app: Callable[..., App], constraints: Path) -> App:
    return make_app(
        "python-dateutil", "-e", "user:main", constraints=constraints,
        sources={"keeps.py": dedent(KEEPS).replace("{zone: ", "{id(zone): "),
                 "looks.py": dedent(LOOKS), "user.py": dedent(USER),
                 "nowhere.py": "from dateutil.tz import gettz\nVALUE = gettz('No/Where')\n"},
    )  # fmt: skip


@pytest.mark.parametrize("constraints", VERSIONS, ids=["archive", "tzdata"])
def test_zones_of_files(make_app: Callable[..., App], constraints: Path) -> None:
    app = keeper(make_app, constraints)
    assert left_out(app.exe) == [
        "looks: looks into the time zone Europe/Paris",
        "nowhere: looks for the time zone No/Where",
    ]
    out = same(app.exe, {})
    assert b"2020-07-01T00:00:00+02:00" in out and b"1:00:00 None" in out


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="mounts an empty folder"
)
@pytest.mark.parametrize("constraints", VERSIONS, ids=["archive", "tzdata"])
def test_zones_without_files(make_app: Callable[..., App], constraints: Path) -> None:
    app = keeper(make_app, constraints)
    hide = ["unshare", "--mount", "sh", "-ec",
            'mount -t tmpfs none /usr/share/zoneinfo; exec "$@"', "sh"]  # fmt: skip
    if subprocess.run([*hide, "true"], check=False).returncode != 0:
        pytest.skip("may not mount")
    out = same(app.exe, {}, *hide)
    assert b"/usr/share/zoneinfo" not in out and b"2020-07-01T00:00:00+02:00" in out
