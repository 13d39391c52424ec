"""The data map: the record of processing that PDPA s.39 and GDPR Art. 30 ask for, made out of the code itself.

`activities` says for what data is processed and on which ground, `tables` which table belongs to which and how long its
rows are kept, `stores` what lies in files. `document` puts it together with the fields of every table, their class of
personal data and who erases them; `drift` compares it with the tables and columns that the database really has.
"""
