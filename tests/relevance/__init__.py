"""How well searches answer: judged questions, and the figures that say it.

judged.txt   a hundred questions and what answers them, readable and written by hand
judged.py    reads it, and measures a list of records against it
"""
