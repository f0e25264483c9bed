"""All that knows Slack. What its messages and forms look like:

slack/views/compare.py   two sessions side by side
slack/views/trial.py     both answers of a trial, and the buttons to vote
slack/views/session.py   a turn as messages: how it goes, then what came of it
slack/views/question.py  a question as a card, as a form, and closed
slack/views/feedback.py  what people think of an answer
slack/views/home.py      App Home, and the form to try an agent
slack/views/home_desk.py  what stands there for those who run the bot
slack/views/triage.py    the form of a message shortcut
slack/views/schedule.py  the schedules with buttons
slack/views/finding.py   what repeats, as a card
slack/views/change.py    what would change in an agent's file, and what a trial said of it
slack/views/new.py       a new agent: its form, its file, and the card for whoever allows it
slack/views/amiss.py     what is wrong with a form, at its fields
"""
