"""Ask Grok about a photo, with the address of xAI written down: try it under `fake_server run`."""

import base64
import os
from pathlib import Path

from openai import OpenAI

photo = base64.b64encode(Path(__file__).with_name("harbour.jpg").read_bytes()).decode()
image = {"url": f"data:image/jpeg;base64,{photo}", "detail": "high"}
client = OpenAI(api_key=os.environ["XAI_API_KEY"], base_url="https://api.x.ai/v1")
completion = client.chat.completions.create(
    model="grok-4",
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": image},
                {"type": "text", "text": "What is in this image?"},
            ],
        }
    ],
)
print(completion.choices[0].message.content)
