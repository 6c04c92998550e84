"""What others know, taken in: files of HSDS, and tables, become records as safely as can be.

read      `documents` and `tables` find the objects of a file, `pieces` takes them apart
stage     `runs` keeps them in a table, batch by batch, so that a run can go on after a crash
leave     `inside` finds what is of prisons and programs, which stays as it is
make      `records` and `columns` make rows of them, and tell what they cannot take
apply     `applied` writes the rows at once; where somebody knows better, they stay out
keep      `remainders` keeps what the standard said beyond that, for the next export
end       `finishing` notes what became of a run, and `telling` tells people
"""
