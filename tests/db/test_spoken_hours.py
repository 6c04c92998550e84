"""Hours in words: sixty-some texts of the real directory, each read by a person first."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from db.data.hours import Unreadable, read
from db.data.load import DIRECTORY

WEEK = "MO,TU,WE,TH,FR"
ALWAYS = "MO,TU,WE,TH,FR,SA,SU 00:00-23:59"

READ = {
    "24 Hours/day": ALWAYS,
    "24 hours per day/7 days per week": ALWAYS,
    "24 hours, 7 days": ALWAYS,
    "24 hours/7 days": ALWAYS,
    "8:00am-4:30pm": "? 08:00-16:30",
    "Fri 10:00-12:00": "FR 10:00-12:00",
    "Fri 12:00-13:00; Fri 12:00-13:00": "FR 12:00-13:00",
    "Fri 13:00-17:00; Mon, Tue, Wed, Thu 15:00-20:00": "FR 13:00-17:00; MO,TU,WE,TH 15:00-20:00",
    "Fri 13:30-13:30": "FR 13:30-?",
    "Mon 17:30-18:30; Wed 16:00-17:00": "MO 17:30-18:30; WE 16:00-17:00",
    "Mon, Tue 08:00-17:30; Wed 08:00-17:30; Thu 08:00-17:30; Fri 08:00-16:30": (
        "MO,TU,WE,TH 08:00-17:30; FR 08:00-16:30"
    ),
    "Mon, Tue, Wed 07:30-12:00; Mon, Tue, Wed 13:00-19:00; Thu, Fri 07:30-12:00;"
    " Thu, Fri 13:00-17:00": f"{WEEK} 07:30-12:00; MO,TU,WE 13:00-19:00; TH,FR 13:00-17:00",
    "Mon, Tue, Wed, Thu 08:00-11:30; Tue, Thu 16:30-18:30": (
        "MO,TU,WE,TH 08:00-11:30; TU,TH 16:30-18:30"
    ),
    "Mon, Tue, Wed, Thu 09:00-09:00; Mon, Tue, Wed, Thu, Fri 12:00-12:30": (
        f"MO,TU,WE,TH 09:00-?; {WEEK} 12:00-12:30"
    ),
    "Mon, Tue, Wed, Thu, Fri 5:30-18:00; Sat 7:00-11:00": f"{WEEK} 05:30-18:00; SA 07:00-11:00",
    "Mon, Tue, Wed, Thu, Fri, Sat 09:00-20:00; Sun 10:00-18:00": (
        f"{WEEK},SA 09:00-20:00; SU 10:00-18:00"
    ),
    "Mon-Fri 8am-4pm": f"{WEEK} 08:00-16:00",
    "Mon-Fri, 9am-5pm": f"{WEEK} 09:00-17:00",
    "Monday - Friday 8:00am - 5:00pm,": f"{WEEK} 08:00-17:00",
    "Monday - Friday 9:00 am - 5:00 pm": f"{WEEK} 09:00-17:00",
    "Monday - Friday 9am -5pm": f"{WEEK} 09:00-17:00",
    "Monday - Friday from 9:30am-11:30am, 1:00pm-3:00pm": f"{WEEK} 09:30-11:30; {WEEK} 13:00-15:00",
    "Monday - Friday, 8:30am to 11:00pm. Saturday 12:00pm-8:00pm": (
        f"{WEEK} 08:30-23:00; SA 12:00-20:00"
    ),
    "Monday - Friday, 8:45am to 7:00 pm": f"{WEEK} 08:45-19:00",
    "Monday - Friday, 9:00am to 5:00pmMonday - Friday, 9:00am to 5:00pm": f"{WEEK} 09:00-17:00",
    "Monday - Thursday, 8:00am to 1:00pm, 2:00pm to 4:30pm, Friday, 8:30am to 12:45pm": (
        "MO,TU,WE,TH 08:00-13:00; MO,TU,WE,TH 14:00-16:30; FR 08:30-12:45"
    ),
    "Monday -Friday, 1pm-4pm": f"{WEEK} 13:00-16:00",
    "Monday -Thursday from 10am-12pm and 1pm-4pm, Fridays from 10am-12pm.": (
        f"{WEEK} 10:00-12:00; MO,TU,WE,TH 13:00-16:00"
    ),
    "Monday -Thursday, 8:00am to 5:00pm, Closed Friday.": "MO,TU,WE,TH 08:00-17:00",
    "Monday and Friday, 9:00am to 4:30pm": "MO,FR 09:00-16:30",
    "Monday through Friday, 8 am to 4 pm and by appointment": f"{WEEK} 08:00-16:00",
    "Monday through Saturday, 9:00am to 7:30pm": f"{WEEK},SA 09:00-19:30",
    "Monday, Tuesday, Thursday 8:30am - 12:00pm and 1:30pm - 4:00pm,": (
        "MO,TU,TH 08:30-12:00; MO,TU,TH 13:30-16:00"
    ),
    "Monday-Friday": f"{WEEK} ?-?",
    "Monday-Friday, 8:00am to 12:00pm, and 12:30pm to 4:00pm.": (
        f"{WEEK} 08:00-12:00; {WEEK} 12:30-16:00"
    ),
    "Monday-Thursday: 8:30-5:00pm Friday: 8:30-12:00pm": (
        "MO,TU,WE,TH 08:30-17:00; FR 08:30-12:00"
    ),
    "Monday/Wednesday/Friday 9:00am-8:00pm, Tuesday/Thursday 7:00am-6:00pm": (
        "MO,WE,FR 09:00-20:00; TU,TH 07:00-18:00"
    ),
    "Monday: 10am-6pm, Tuesday - Thursday 9am-8pm, Friday: 12pm to 6pm, Saturday 10am-6pm": (
        "MO,SA 10:00-18:00; TU,WE,TH 09:00-20:00; FR 12:00-18:00"
    ),
    "Sun, Mon, Tue, Wed, Thu, Fri, Sat 07:00-09:00; Thu 16:00-17:30; Sun 18:00-18:40": (
        f"{WEEK},SA,SU 07:00-09:00; TH 16:00-17:30; SU 18:00-18:40"
    ),
    "Sunday-Thursday, 8am-4pm.": "MO,TU,WE,TH,SU 08:00-16:00",
    "Thur 20:00-21:00; Sat 19:00-20:00; Mon 08:00-12:00; Mon 16:30-16:30; Sun 17:00-17:00": (
        "TH 20:00-21:00; SA 19:00-20:00; MO 08:00-12:00; MO 16:30-?; SU 17:00-?"
    ),
    "Tue, Wed, Thur, Fri 10:00-18:00": "TU,WE,TH,FR 10:00-18:00",
    "Tuesday, 9:00am to 10:30am, Wednesday, 9:00am to 10:30am, 3:00pm to 4:30pm,"
    " Thursday and Friday, 9:00am to 10:30am": "TU,WE,TH,FR 09:00-10:30; WE 15:00-16:30",
    "Tuesdays and Thursdays, 8:30am to 12:30pm (drop-in)": "TU,TH 08:30-12:30",
    "Wednesday 8am-12pm, Thursday 8am-12pm, Friday 8am-12pm": "WE,TH,FR 08:00-12:00",
}

UNREAD = {
    "Call for hours": "names no hours",
    "Varies": "names no hours",
    "Vary. Please call or write first.": "names no hours",
    "By Appointment Only. Call Intake Phone, (415) 255-0165.": "says more than hours",
    "24 hours/7 days. Intake hours: Monday - Friday, 9:00am-5:00pm.": "says more than hours",
    "Wednesdays and Thursdays, 24 hours/7 days": "says more than hours",
    "Business 8:30am-4:30pm, Class 9am-4pm.": "says more than hours",
    "Monday - Friday, 9:00am to 5:00pm (Wednesday until 8pm at 558 Clayton St)": (
        "says more than hours"
    ),
    "Monday - Friday from 9:00am-5:00pm, January-April and September-November, only.": (
        "says more than hours"
    ),
    "Monday-Friday, 9:00am to 5:00pm for intakes.": "says more than hours",
    "Monday-Friday, 9:00am to 11:00am (except the last two and first two business days of each"
    " month and holidays.": "says more than hours",
    "Tuesday - Thursday, 12:00pm to 5:00pm when school is in session or by appointment.": (
        "says more than hours"
    ),
    "Tuesdays, beginning at 8:30am. Open until full.": "says more than hours",
    "Clinic held last Tuesday of every month at 6 pm. Questions about clinic answered Monday"
    " through Friday from 9:00am-5:00pm.": "says more than hours",
    "Monday - Friday, 7:00pm to 3:30pm.": "closes before it opens",
    "Fri 16:00-19:00; Sat 08:30-05:00; Sun 08:30-17:00": "closes before it opens",
    "Monday - Friday, 8:00am to 1:30pmMonday-Friday, 8:00am to 4:00pm": (
        "says two things about one day"
    ),
    "Mon, Tue, Wed, Thu 08:00-17:30; Thu 09:00-16:30": "says two things about one day",
    "Mon, Tue, Wed, Thu, Fri 09:00-17:00; Sat 00:00-00:00": "may mean all day or not at all",
}

# Not in the directory today.
STRANGE = {
    "Monday 25:00-26:00": "has a time that no clock shows",
    "Monday 13pm-14pm": "has a time that no clock shows",
    "Monday 9-5": "leaves open whether it is morning or afternoon",
    "Monday 1-4pm": "leaves open whether it is morning or afternoon",
    "Monday 9am-5": "leaves open whether it is morning or afternoon",
    "Monday 9am": "says when it opens, not when it closes",
    "Monday 9am-": "says when it opens, not when it closes",
    "Monday-": "is not clear about its days",
    "Monday 9am-5pm, closed Monday": "says two things about one day",
    "9am-5pm. Monday 6pm-7pm": "leaves open which hours are whose",
    "Monday9am-5pm; 1234567": "says more than hours",
    "Lunes 9am-5pm day": "says more than hours",
    "Monday \N{ARABIC-INDIC DIGIT NINE}am-5pm": "says more than hours",
    "; , . Monday": "says more than hours",
}


@pytest.mark.parametrize(("text", "rules"), READ.items())
def test_a_text_means_what_a_reader_takes_it_for(text: str, rules: str) -> None:
    assert "; ".join(map(str, read(text))) == rules


@pytest.mark.parametrize(("text", "reason"), (UNREAD | STRANGE).items())
def test_what_is_not_clear_stays_text(text: str, reason: str) -> None:
    with pytest.raises(Unreadable) as unread:
        read(text)
    assert str(unread.value) == reason


def test_a_night_goes_past_midnight() -> None:
    assert [str(rule) for rule in read("Fri, Sat 20:00-02:00")] == ["FR,SA 20:00-02:00"]


def test_most_of_the_real_texts_are_read() -> None:
    with (DIRECTORY / "providers.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["hours_text"].strip() for row in csv.DictReader(file)]
    found: Counter[str] = Counter()
    for text in filter(None, texts):
        try:
            found["read"] += bool(read(text))
        except Unreadable as reason:
            found[str(reason)] += 1
    assert found == {
        "read": 379,
        "says more than hours": 46,
        "says two things about one day": 9,
        "names no hours": 7,
        "closes before it opens": 2,
        "may mean all day or not at all": 2,
    }
    assert {*READ, *UNREAD} <= {*texts}
