"""An agent whose tool `wire` waits for alex. Its model is scripted, so that it runs without an account; use your own.

COUNTERSIGN_URL, COUNTERSIGN_API_KEY and COUNTERSIGN_TRUST say which server and which log are believed.
"""

from langchain.agents import create_agent
from langchain.tools import tool
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from countersign import Countersign
from countersign.langchain import CountersignMiddleware


class ScriptedModel(GenericFakeChatModel):
    def bind_tools(self, tools, **_):
        return self


@tool
def wire(amount: float, to: str) -> str:
    """Wires money."""
    return f"wired {amount} to {to}"


call = {"name": "wire", "args": {"amount": 12.5, "to": "ACME"}, "id": "call_1"}
model = ScriptedModel(messages=iter([AIMessage("", tool_calls=[call]), AIMessage("That is all.")]))
guard = CountersignMiddleware(Countersign(), tools={"wire": "alex"}, wait=45)
agent = create_agent(model, [wire], middleware=[guard], checkpointer=InMemorySaver())

thread = {"configurable": {"thread_id": "invoice-7"}}
result = agent.invoke({"messages": [("user", "Pay ACME")]}, thread)
while "__interrupt__" in result:  # Nobody has decided yet. This may as well be another process, a day later.
    print("alex, please decide:", result["__interrupt__"][0].value["url"], flush=True)
    result = agent.invoke(Command(resume="look again"), thread)
print(result["messages"][-2].content)
