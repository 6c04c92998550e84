"""The directory as HSDS 3, the format of Open Referral: nested JSON, or flat tables.

made.py       ids and words that the directory has none of its own for
places.py     locations with their addresses, as much as the public may know
providers.py  community providers and their services
prisons.py    institutions, visiting and visitor centers
programs.py   programs, where they run, and what people enter on release
terms.py      kinds of help and the like, as taxonomies
objects.py    all of these, one select for each object of HSDS
writer.py     files are written of them

Each select reads what the public may read and nothing else. An object that is a record here has
its id; the others have ids that are made of what they belong to, the same each time.

an institution       organization with a location and identifiers; its parent is the institution
                     that it is part of, or the department, which has no record here
a type of visit      service of the institution at its location, with the rules as schedules, and
                     what was said of it last as status and alert; hours on holidays in words
a visitor center     service of who runs it, else of the institution, at its location
a program            program of who runs it, else of the department
where it runs        service of that program, at the location of the institution, with its status
a reentry program    program of the department with a service, whose areas are counties
kinds, audiences,    attributes, with terms of our taxonomies
amenities, levels

HSDS wants what we may not know. Of a service whose status nobody told it says that it is active,
because it has no word for that, and an `alert` that says so. What has closed or ended is defunct,
and keeps its record. A postal code or city that is not known is an empty text. Hours are of the
clocks of the place: `notes` say of which, because an offset from UTC would be wrong for half of the
year. What HSDS has no place for is said in descriptions; texts in Spanish and counts of past months
are left out.

What was imported comes with all that the standard said of it (db/data/exchange/remainders.py): also
with what the directory has no place for, and in the words in which it was said, until somebody
changes it here.
"""

from db.data.hsds.objects import BY_ID, INSIDE, OBJECTS
from db.data.hsds.writer import NESTED, Form, export

__all__ = ["BY_ID", "INSIDE", "NESTED", "OBJECTS", "Form", "export"]
