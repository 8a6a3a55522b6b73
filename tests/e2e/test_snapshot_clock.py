# SPDX-License-Identifier: Apache-2.0
"""What modules keep of the clock and the time zone is that of the start."""

from __future__ import annotations

from textwrap import dedent
from typing import Callable, Dict

import pytest
from conftest import PACK, App, run

ZONES = [{}, {"TZ": "UTC"}, {"TZ": "Europe/Berlin"}, {"TZ": "XYZ-3ABC"}, {"TZ": "EST5EDT"}]

PARSER = """\
    import datetime, time, _strptime
    import own
    from own import PARSED
    from dateutil import parser
    from dateutil.parser._parser import DEFAULTPARSER, parserinfo

    class Info(parserinfo):
        pass

    INFO = Info(dayfirst=True)

    def main():
        year = time.localtime().tm_year
        for info in DEFAULTPARSER.info, INFO, parserinfo():
            print(info._year == year, info._century == year // 100 * 100)
            print(info.convertyear((year + 49) % 100) == year + 49)
        print(parser.parse("1/2/03", parserinfo=INFO), PARSED)
        known = _strptime._TimeRE_cache.locale_time
        print(known.tzname, [sorted(n) for n in known.timezone], known.daylight, known.lang)
        print(known.tzname == time.tzname, sorted(known.a_month), known.LC_date_time)
        for zone in "UTC", "GMT", *time.tzname:
            print(time.strptime("1 " + zone, "%d %Z"))
        try:
            print(datetime.datetime.strptime("3 NOPE", "%d %Z"))
        except ValueError as error:
            print(error)
        print(datetime.datetime.strptime("2020-02-03 +0100", "%Y-%m-%d %z"))
    """

OWN = """\
    import datetime, time
    PARSED = [datetime.datetime.strptime("3 Feb 1999", "%d %b %Y"),
              time.strptime("12:01", "%H:%M")]
    """


@pytest.fixture(scope="module")
def parser(make_app: Callable[..., App]) -> App:
    app = make_app(
        "python-dateutil", "-e", "parse:main",
        sources={"parse.py": dedent(PARSER), "own.py": dedent(OWN)},
    )  # fmt: skip
    report = run([PACK.with_name("pexcz"), "inspect", "--snapshot", app.exe]).text
    assert "dateutil.parser._parser" in report.partition("bytecode")[2]
    for module in "_strptime", "own", "dateutil.parser._parser":
        assert f"\n  {module}: " not in report
    return app


@pytest.mark.parametrize("zone", ZONES, ids=lambda zone: zone.get("TZ", "none"))
def test_zone_and_year(parser: App, zone: Dict[str, str]) -> None:
    env = {"LANG": "C.UTF-8", **zone}
    got = run([parser.exe], env={**env, "PEXCZ_SNAPSHOT": "explain"})
    want = run([parser.exe], env={**env, "PEXCZ_SNAPSHOT": "0"})
    assert (got.code, got.out, got.err) == (want.code, want.out, want.err)
    assert got.code == 0 and b"False" not in got.out


ZONED = """\
    import time
    VALUE = time.strptime("1 UTC", "%d %Z").tm_isdst
    def main(): print(VALUE)
    """


def test_parsed_zone_is_left_out(make_app: Callable[..., App]) -> None:
    app = make_app("-e", "zoned:main", sources={"zoned.py": dedent(ZONED)})
    report = run([PACK.with_name("pexcz"), "inspect", "--snapshot", app.exe]).text
    assert "zoned: reads time." in report
    for zone in ZONES:
        assert run([app.exe], env=zone).out == b"0\n"
