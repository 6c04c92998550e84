"""The real directory as CSV, with its sources, and what loads it.

load.py           the story: read, check, stage, merge, report, in one transaction
sheet.py          a CSV file, read strictly
line.py           one line of it: text becomes values, or reasons why not
words.py          which words a column may hold, read from its check constraint
intake.py         the rows that lines become, and what lines of other files refer to
sources.py        provider_sources.csv, and the citations of every other file
places.py         counties and zip codes
taxonomy.py       categories, synonyms, activity group types, visitor amenities
meanings.py       what the words of sources say about who may come
organizations.py  operators and providers, with their services and whom these are for
inside.py         institutions, camps and population counts
visiting.py       visiting statuses, visitor centers and facts
programs.py       programs, offerings and reentry programs
translations.py   texts in Spanish, and what the values of enums are called
contact.py        addresses and telephone numbers, wherever they appear
schedules.py      opening hours and visiting hours, and days on which they do not hold
hours.py          hours in words become rules, or a reason why not
identity.py       names become ids and slugs, the same on every machine
connection.py     one load at a time
merge.py          rows become inserts and updates, and only where something is new
duplicates.py     records that may be one and the same
report.py         what a load did, for people
hsds/             the directory as files of HSDS 3
synthesize.py     a large directory that resembles the real one, for benchmarks
"""
