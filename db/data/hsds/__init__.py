"""The directory as HSDS 3, the format of Open Referral: nested JSON, or flat tables.
"""

from db.data.hsds.objects import BY_ID, INSIDE, OBJECTS
from db.data.hsds.writer import NESTED, Form, export, whole

__all__ = ["BY_ID", "INSIDE", "NESTED", "OBJECTS", "Form", "export", "whole"]
