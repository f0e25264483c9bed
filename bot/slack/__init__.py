"""All that knows Slack. What its messages and forms look like:

slack/views/compare.py   two sessions side by side
slack/views/session.py   a turn as messages: how it goes, then what came of it
slack/views/question.py  a question as a card, as a form, and closed
slack/views/feedback.py  what people think of an answer
slack/views/home.py      App Home
slack/views/triage.py    the form of a message shortcut
slack/views/schedule.py  the schedules with buttons
slack/views/new.py       a new agent: its form, its file, and the card for whoever allows it
"""
