"""What comes by other doors than Slack's.

triggers/schedule.py    the clock
triggers/terminal.py    a terminal, as the surface too
triggers/webhook.py     the routes at which others call, and what is taken of it
triggers/signed.py      whether a call comes from somebody who knows the secret
triggers/call.py        what happened elsewhere, and how people are told of it
triggers/hook.py        a webhook of an agent's file
triggers/example.py     a call at one, as people try it in a shell
triggers/template.py    its filter and its prompt, with all that others wrote as quotes
triggers/held.py        calls that wait until a file is mended
triggers/rate.py        how many calls a minute
"""
