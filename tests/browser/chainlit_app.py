"""A Chainlit assistant with streamed answers and a question back, written as its users write theirs.

Usage: `chainlit run chainlit_app.py`; under `fastsio patch` the same command runs on fastsio.
"""

import asyncio

import chainlit
import socketio


@chainlit.on_chat_start
async def start() -> None:
    await chainlit.Message(content=f"served by {socketio.AsyncServer.__module__.split('.')[0]}").send()


@chainlit.on_message
async def answer(message: chainlit.Message) -> None:
    if message.content != "ask me":
        streamed = chainlit.Message(content="")
        for number in range(int(message.content)):
            await streamed.stream_token(f"word{number} ")
            await asyncio.sleep(0.01)
        await streamed.update()
        await chainlit.Message(content="that was all").send()
        return
    actions = [chainlit.Action(name=name, payload={"chosen": name}, label=name) for name in ("tea", "coffee")]
    chosen = await chainlit.AskActionMessage(content="What would you like?", actions=actions, timeout=20).send()
    await chainlit.Message(content=f"here is your {chosen['payload']['chosen'] if chosen else 'nothing'}").send()
