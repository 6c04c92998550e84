"""The words of the directory as taxonomies of HSDS 3."""

from __future__ import annotations

from collections.abc import Mapping

from db.data.hsds.made import made_id

TERMS: Mapping[str, str] = {
    "taxonomy": f"""
        select {made_id("'taxonomy:'", "name")} as id, name, description
        from (values ('CATEGORY', 'Kinds of help, as one tree.'),
                     ('AUDIENCE', 'Whom a service is for.'),
                     ('PLACE', 'What else is to be known of a place.'),
                     ('AMENITY', 'What a visitor center does for visitors.'),
                     ('INSTITUTION_TYPE', 'Kinds of places that hold people.'),
                     ('SECURITY_LEVEL', 'Levels of security of a prison.')) as v (name, description)
    """,
    "taxonomy_term": f"""
        select {made_id("'CATEGORY:'", "code")} as id, code, label_en as name,
               format('A kind of help: %s.', label_en) as description,
               {made_id("'CATEGORY:'", "parent_code")} as parent_id, 'CATEGORY' as taxonomy,
               'en' as language, {made_id("'taxonomy:'", "'CATEGORY'")} as taxonomy_id
        from categories
        union all
        select {made_id("'AUDIENCE:'", "code")}, code, label_en, format('It is for %s.', label_en),
               null, 'AUDIENCE', 'en', {made_id("'taxonomy:'", "'AUDIENCE'")}
        from terms where vocabulary = 'AUDIENCE'
        union all
        select {made_id("'PLACE:'", "code")}, code, name, description, null, 'PLACE', 'en',
               {made_id("'taxonomy:'", "'PLACE'")}
        from (values ('HIDDEN', 'Hidden', 'Nothing of the address is public.'),
                     ('CITY_ONLY', 'City only', 'Of the address only the city is public.'),
                     ('MOBILE', 'Mobile', 'A van or clinic that moves.'))
            as v (code, name, description)
        union all
        select {made_id("'AMENITY:'", "code")}, code, label_en,
               format(case when statutory then 'A visitor center has it by law: %s.'
                           else 'A visitor center may have it: %s.' end, label_en),
               null, 'AMENITY', 'en', {made_id("'taxonomy:'", "'AMENITY'")}
        from visitor_amenities
        union all
        select {made_id("e.taxonomy", "':'", "v.value")}, v.value, v.label,
               format(e.description, v.label), null, e.taxonomy, 'en',
               {made_id("'taxonomy:'", "e.taxonomy")}
        from (values ('InstitutionType', 'INSTITUTION_TYPE', 'A kind of institution: %s.'),
                     ('SecurityLevel', 'SECURITY_LEVEL', 'Security: %s.'))
            as e (enum_name, taxonomy, description)
        join enum_values v using (enum_name)
    """,
}
