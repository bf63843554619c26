"""A Chainlit assistant that answers with one word every TICK seconds, until its client leaves."""

import asyncio
import os

import chainlit


@chainlit.on_chat_start
async def start() -> None:
    answer = chainlit.Message(content="")
    while True:
        await answer.stream_token("word ")
        await asyncio.sleep(float(os.environ["TICK"]))
