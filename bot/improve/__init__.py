"""How agents get better: what happened is told, what repeats found, and what people want of that filed, written, tried and decided.

digest, ticket, writing, diff, history and plot are pure.

improve/digest.py    what happened since the last time, as an agent is told it
improve/lend.py      that digest, lent to its turns
improve/findings.py  what agents find in it: cards, and what people press there
improve/tickets.py   tickets for findings
improve/ticket.py    what one says
improve/github.py    issues at GitHub
improve/linear.py    issues at Linear
improve/proposal.py  a change is written, checked, shown and tried
improve/decision.py  it is decided upon, and carried out
improve/writing.py   what is asked of whoever writes it, and how the answer is taken
improve/diff.py      what changes, and what the agent may do more
improve/pull.py      pull requests at GitHub
improve/lab.py       where an agent is asked what counts for nobody
improve/trial.py     a changed agent is asked what was asked before
improve/judge.py     an agent says which of two answers is better
improve/history.py   what each version came to, and whether the change helped
improve/plot.py      the same as a picture
improve/pictures.py  that, with the digest
"""
