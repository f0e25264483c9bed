"""The map of what is done elsewhere: in AgentCore, in Kubernetes, on Kelos.

runtimes/agentcore.py         our harnesses in Bedrock AgentCore
runtimes/agentcore_signed.py  its data plane, by AWS's own client
runtimes/agentcore_bearer.py  the same by a bearer token
runtimes/agentcore_plain.py   agents there that know nothing of us
runtimes/agentcore_harness.py harnesses that AgentCore itself runs
runtimes/agentcore_words.py   its refusals in words
runtimes/kubernetes.py        our harnesses in Kubernetes
runtimes/kubernetes_line.py   the connection to a cluster
runtimes/kubernetes_pod.py    what is made there
runtimes/kelos.py             agents on Kelos
runtimes/kelos_setting.py     what is made there
runtimes/kelos_place.py       where a Session is found
runtimes/kelos_session.py     one turn in it
runtimes/kelos_story.py       what it tells, as events
runtimes/kelos_task.py        a Task in place of it

The first two by way of our shim
runtimes/shim_work.py         one turn in a container
runtimes/shim_line.py         how a container is reached
runtimes/shim_orders.py       what its shim is told
runtimes/shim_records.py      what that tells
spoken.py                     the same as JSON, for both sides
shim/server.py                the inside of such a container: its door
shim/conversation.py          a conversation in there
shim/work.py                  a turn of it
"""
