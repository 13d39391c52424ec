"""The way in and out: password, passkey, one-time codes, the company's own login provider; sessions and their end;
step-up; limits against guessing. Built on django-allauth, whose views of second factors stand behind our addresses.
"""
