"""Frontdesk: the path of a mention, module by module. After it come the other doors, the store, and the place to try all that.

To start
__main__.py             python -m bot
cli/__init__.py         the commands of the shell: they have a map of their own
library.py              `from bot import query`: an agent asked by a program
settings.py             the environment, read once
logs.py                 structured logs, without tokens
app/__init__.py         puts everything together, with a map of its own
scratch.py              a folder that is thrown away in the end

A mention arrives
slack/door.py           takes what Slack delivers, keeps it, and only then acknowledges it
slack/listeners.py      what each kind of delivery means
slack/attention.py      proves that we hear
slack/catchup.py        finds what was said while nobody listened
slack/parse.py          makes a Message of it
slack/directory.py      knows people, channels and user groups
slack/connect.py        the connection: a client, both tokens looked at, a socket
slack/calls.py          calls Slack, and says what its refusals mean
slack/buttons.py        what buttons, menus and forms do
slack/firing.py         begins what nobody in Slack asked for
slack/making.py         makes an agent of what was filled in, once somebody has allowed it
slack/trying.py         shows trials, and lets people vote
slack/display.py        shows what would change in an agent's file, and says what came of it
message.py              what was said, by whom, in which thread, by which door
errors.py               what can go wrong, in words
net.py                  what holds for all that we reach elsewhere
breaker.py              platforms that do not answer, left alone for a while
clock.py                the time that all replicas agree on

It becomes a session
dispatch.py             everything that can be asked of the desk
questions.py            the agents' questions: who may answer, and that each has one answer
compare.py              the same asked of two, side by side
words.py                what the desk itself says, and the words it understands
route.py                which agent is meant
policy.py               who may, and within which budget
agent.py                the agent: its file, read and found good
trigger.py              a way to reach one
mistakes.py             what is wrong with that file, in words
draft.py                one that somebody has thought up, before there is a file of it
examples.py             its trial set: what to ask it, and how a good answer is known
session.py              the one state machine
ports.py                what the desk needs of the world: Runtime, Surface, Store, Engine
journal.py              what came in and what went out: Delivery, Post, Journal

A turn of it runs
line.py                 who may run now, and who is next where too many want to
engine/local.py         one task for each session that has something to do
engine/procrastinate.py the same over replicas: one of them has each session
inbox.py                what the turn begins with, and what people say meanwhile
aid.py                  what a turn is lent while it runs
ending.py               tasks that are told to stop, and are waited for
bell.py                 rung by those who work for us elsewhere, and for long
glance.py               what a person has with the desk, at one glance
turn.py                 the heart: events become the session's state, and what people see
report.py               what an agent is asked, unseen, once its turn is over
prompt.py               what the agent is told
template.py             how little a template of its file may do
slack/backfill.py       what was said in the thread before
slack/files.py          files, from Slack to the session's folder and back
event.py                what a runtime may say
runtimes/__init__.py    the runtimes by name
runtimes/fallback.py    another in place of one that is not available
runtimes/echo.py        needs no key: says back what it is told
runtimes/echo_find.py   what that finds in a digest
runtimes/claude_code.py       Claude Code, in a process of its own
runtimes/claude_process.py    that process
runtimes/telling.py           what a task tells, as a runtime tells it
runtimes/held.py              what harnesses ask of people, held open until somebody answers
runtimes/memory.py            what a harness's next process has to know
runtimes/child.py             a harness's process: what it is given, and that nothing of it stays
processes.py                  whose a process is, what it began, what that uses, and its end
sandbox.py                    bubblewrap around what runs for a session
nofollow.py                   files where others write too: no link is followed
runtimes/fit.py               what keeps it from starting
runtimes/home.py              where such a harness lives: folders, environment and limits
runtimes/loopback.py          a server that is such a process, and listens on this machine only
runtimes/gateway.py           LiteLLM, through which calls of models go: what a harness is told of it
runtimes/gateway_server.py    the door on loopback to it
runtimes/gateway_bill.py      what the calls cost
runtimes/claude_setting.py    what it is begun with
runtimes/claude_story.py      what it tells, as events
runtimes/claude_questions.py  what it asks of people
runtimes/claude_memory.py     what its next process has to know
runtimes/claude_transcript.py  what it wrote down, found again by any replica
runtimes/claude_bill.py       what it has cost so far, by its own count
runtimes/claude_words.py      its tools and errors in words
runtimes/acp.py         agents that speak ACP, in processes of their own
runtimes/acp_setting.py    what one is begun with
runtimes/acp_pipe.py       the connection to it
runtimes/acp_story.py      what it tells, as events
runtimes/acp_questions.py  what it asks of people
runtimes/acp_form.py       its forms as questions
runtimes/acp_memory.py     what its next process has to know
runtimes/acp_words.py      its calls and errors in words
runtimes/coding.py            what OpenCode and Pi have in common: tools and people's words
runtimes/opencode.py          OpenCode, as a server of its own
runtimes/opencode_server.py   that server, over HTTP
runtimes/opencode_setting.py  what it is begun with
runtimes/opencode_story.py    what it tells, as events
runtimes/opencode_questions.py  what it asks of people
runtimes/opencode_words.py    its permissions and errors in words
runtimes/pi.py                Pi, in a process of its own
runtimes/pi_process.py        that process: commands and records, line by line
runtimes/pi_setting.py        what it is begun with
runtimes/pi_story.py          what it tells, as events
runtimes/pi_questions.py      what it asks of people, by way of pi_extension.ts
runtimes/codex.py             Codex, in a process of its own
runtimes/codex_daemon.py      that process, where it may go on without us
runtimes/codex_setting.py     what it is begun with
runtimes/codex_story.py       what it tells, as events
runtimes/codex_questions.py   what it asks of people
runtimes/codex_forms.py       that as questions, and the answers as it takes them
runtimes/codex_words.py       its steps and errors in words
runtimes/rpc.py               JSON-RPC over lines
runtimes/hermes.py           Hermes, by its gateway's API
runtimes/hermes_server.py    that API, and the process
runtimes/hermes_setting.py   what it is begun with
runtimes/hermes_story.py     what it tells, as events
runtimes/httpx_wire.py  HTTP for SDKs that are built upon httpx
runtimes/httpx_pass.py  as whom we come there
runtimes/oauth.py       tokens that are good for a while only
runtimes/unknown.py     what a platform told that nobody knows
runtimes/unsaid.py      what people say meanwhile, until the agent was given it
runtimes/langgraph.py            agents on a LangGraph server
runtimes/langgraph_line.py       the connection to one
runtimes/langgraph_work.py       one turn there
runtimes/langgraph_story.py      what a graph tells, as events
runtimes/langgraph_questions.py  what it asks of people
runtimes/langgraph_words.py      its tools and errors in words
runtimes/deepagents.py           DeepAgents and other graphs, on such a server of their own
runtimes/deepagents_setting.py   what that is begun with
runtimes/stream_json.py            any command that speaks Claude Code's stream-json
runtimes/stream_json_story.py      what it tells, as events
runtimes/stream_json_questions.py  what it asks of people
runtimes/managed_agents.py            Claude Managed Agents, and the bridges that speak as they do
runtimes/managed_agents_line.py       the connection to them
runtimes/managed_agents_work.py       one turn there
runtimes/managed_agents_steer.py      what people say meanwhile
runtimes/managed_agents_story.py      what they tell, as events
runtimes/managed_agents_questions.py  what they ask of people
runtimes/litellm_platform.py          LiteLLM's agent control plane
runtimes/litellm_platform_line.py     the connection to it
runtimes/responses.py            OpenAI's Responses, Chat Completions, and all that speak them
runtimes/responses_line.py       the connection to them
runtimes/responses_work.py       one turn by Responses
runtimes/responses_story.py      what they tell, as events
runtimes/responses_calls.py      what waits for a person
runtimes/responses_steps.py      their tools in words
runtimes/responses_memory.py     what its session has said
runtimes/responses_chat.py       one turn by Chat Completions
runtimes/growing.py     answers that grow
runtimes/attached.py    files that go along with the words
runtimes/asking.py      the function by which models ask people
runtimes/sdk_wire.py    HTTP for the SDKs of platforms
runtimes/a2a.py         agents that speak A2A
runtimes/a2a_setting.py  what its file says of it
runtimes/a2a_line.py    the connection to one
runtimes/a2a_card.py    its card
runtimes/a2a_stream.py  the answer to a call, as it comes
runtimes/a2a_wire.py    what the SDK would refuse, made readable for it
runtimes/a2a_talk.py    what it says, as events
runtimes/a2a_questions.py  what it asks of people
runtimes/a2a_human.py   the same with kagent
runtimes/a2a_parts.py   the pieces of which its messages are made
runtimes/http.py          agents on any platform that speaks HTTP, by a profile
runtimes/http_profile.py  what such a file may say
runtimes/http_values.py   its templates and JSONPaths
runtimes/http_setting.py  what a turn there is begun with
runtimes/http_google.py   Google's credentials
runtimes/http_line.py     requests, and what goes wrong with them
runtimes/http_work.py     one turn there
runtimes/http_memory.py   what its next process has to know
runtimes/http_ear.py      that nothing is heard twice
runtimes/http_story.py    what a platform tells, as events
runtimes/feed.py          streams, event by event
shim/__init__.py         containers, clusters and Kelos: they have a map of their own

People see it
slack/surface.py        keeps what people see of a session equal to its state
slack/beside.py         what belongs to no session: a thread begun, a private word, a comparison
slack/status.py         the line that says that somebody works, and Slack's own Stop
slack/home.py           people's App Homes, kept as things are
slack/view.py           what a message looks like
slack/__init__.py       what each message and form looks like: they have a map of their own
slack/markdown.py       what was written, made harmless and cut to what Slack takes
slack/outbox.py         our messages: each sent once, then edited
slack/owed.py           edits that somebody has to make still
slack/stream.py         an answer that grows, as Slack's own stream
slack/writer.py         sends it, within Slack's limits, last words first
slack/budget.py         what may still be called of Slack, and who gets it
slack/limits.py         how often Slack may be called, method by method

Our tools for agents
tools/lend.py           who gets them
tools/outside.py        the same for agents elsewhere
tools/deeds.py          what they do
tools/server.py         the MCP server that has them

Where agents work on repositories
workspaces/files.py     agents/workspaces.yaml, read and found good
workspaces/lend.py      a workspace for each session that is to have one
workspaces/clone.py     how it is made
workspaces/git.py       git, which asks nobody, and what it says in words
workspaces/shell.py     a command, and that nothing of it stays
workspaces/lock.py      that no two use the same
workspaces/tidy.py      old ones taken away

It is kept
store/__init__.py       the database: it has a map of its own

It begins by itself
plan.py                 a schedule as it is kept, and what comes of it
timetable.py            what people may do with schedules
fired.py                what begins a session from outside Slack
triggers/__init__.py    the clock, calls from elsewhere, a terminal: they have a map of their own

It gets better
past.py                 what happened, what repeats, and what is changed and tried
found.py                a finding as it is kept
change.py               a change of an agent's file, from when somebody wants it
improve/__init__.py     trials and what came of changes: they have a map of their own

Set up, and asked elsewhere
slack/manifest.py       the app as Slack has to know it
slack/doctor.py         looks whether Slack is set up right

Watched by whoever runs it
ops/watch.py            who listens, and what is served
ops/ear.py              ports that tell what happens at them
ops/metrics.py          figures for Prometheus
ops/traces.py           OpenTelemetry, from the envelope to the last edit
ops/health.py           whether this process can do its work
ops/server.py           all that over HTTP

The playground: a stand-in for Slack
playground/__init__.py  the way in
playground/slack.py     the workspace, served on loopback
playground/world.py     who and what there is
playground/things.py    what a workspace is made of
playground/talk.py      people say, edit, delete, react, come and go
playground/click.py     people press, choose, fill in, send
playground/choice.py    finds what can be pressed by what people call it
playground/form.py      what people fill in, and what Slack's client would not send
playground/visit.py     people open the app's tabs, stop it, rename its sessions
playground/sight.py     what can be looked at
playground/posting.py   what happens to messages
playground/events.py    what the app is told
playground/payloads.py  clicks, commands, shortcuts and forms as Slack sends them
playground/socket.py    Socket Mode
playground/hooks.py     response_url
playground/modals.py    views and their stacks
playground/web.py       the Web API's HTTP side
playground/methods/__init__.py       the Web API's methods
playground/methods/asked.py          their arguments
playground/methods/agents.py         assistant.threads.* and agents.sessions.*
playground/methods/chat.py           chat.*
playground/methods/conversations.py  conversations.*
playground/methods/files.py          files.*
playground/methods/kit.py            blocks.validate
playground/methods/reactions.py      reactions.*
playground/methods/streams.py        chat.*Stream
playground/methods/users.py          users.*, bots.info and usergroups.*
playground/methods/views.py          views.*
playground/methods/workspace.py      auth.test, team.info and apps.connections.open
playground/blocks.py    Block Kit's rules
playground/elements.py  the parts of blocks
playground/words.py     text as Slack keeps it
playground/rich.py      what people type, as rich text
playground/limits.py    rate limits
playground/faults.py    what can go wrong at Slack's side, on purpose
playground/refusal.py   how Slack says no
playground/feed.py      what has changed, for whoever waits or watches
playground/page.py      the page
playground/deeds.py     what comes from the page
playground/panes.py     who looks, at what, and what stands beside it
playground/glass.py     the pane behind the glass: calls, envelopes, limits, trouble
playground/switches.py  what makes Slack misbehave, switch by switch
playground/tape.py      what people did, to be kept
playground/named.py     a deed in people's words
playground/names.py     names for messages that stay the same
playground/sights.py    what people see, as plain lines
playground/recording.py a session of play as one file
playground/reading.py   that file, read again
playground/replay.py    does it again, and compares
playground/control.py   all of it over HTTP
playground/as_test.py   what people did, as a test
playground/source.py    Python as it is written
playground/bench.py     what authors see of their agents
playground/scene.py     what one person has before them
playground/window.py    which messages of a list that are
playground/look.py      how things look to people
playground/render.py    blocks as HTML
playground/mrkdwn.py    texts as HTML
playground/emoji.py     emoji by their short names
"""

from bot.library import query as query
