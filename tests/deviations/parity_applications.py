"""Deviations of parity: Applications around a server.

May import: the shape. Transcripts are printed by `python -m parity --here <name>`.
"""

from deviations import Deviation, differs
from deviations.decisions import SAYS_WHAT_EXISTS, SAYS_WHERE, SVG

PART: dict[str, Deviation] = {}

differs(
    PART,
    SVG,
    """
http GET /static/a.css 200 [text/css] a.css
http GET /static/b.JS 200 [application/octet-stream] b.JS
http GET /static/c.js 200 [application/javascript] c.js
http GET /static/d.svg 200 [image/svg+xml] d.svg
http GET /static/e.json 200 [application/json] e.json
http GET /static/f.png 200 [image/png] f.png
http GET /one 200 [text/css] a.css
http GET /typed 200 [x/y] a.css
http GET /static/ 200 [text/html] index.html
http GET /static/deep/ 200 [text/html] deep/index.html
http GET /static/none 404 [text/plain] Not Found
http GET /static/../x 404 [text/plain] Not Found
http GET /dir/a.css 200 [text/css] a.css
http GET /dir/ 200 [text/html] index.html
http GET /missing 404 [text/plain] Not Found
http GET /one/more 404 [text/plain] Not Found
http POST /one 200 [text/css] a.css
""",
    "static_files",
)

differs(
    PART,
    "defect 5",
    """
http GET /static 404 [text/plain] Not Found
""",
    "a_static_directory_without_slash",
)

differs(
    PART,
    SAYS_WHAT_EXISTS,
    """
ann < 4text
server send gives None
ann hex 0001
server send gives None
ann < 4{"a":[1]}
server send gives None
ann < 4[1,2]
server send gives None
ann < 4
server send gives None
ann < 4True
server send gives None
ann < 45
server send gives None
ann < 41.5
server send gives None
ann < 4
server send gives None
bob < 4text
server send gives None
bob < bAAE=
server send gives None
bob < 4{"a":[1]}
server send gives None
bob < 4[1,2]
server send gives None
bob < 4
server send gives None
bob < 4True
server send gives None
bob < 45
server send gives None
bob < 41.5
server send gives None
bob < 4
server send gives None
log engineio.server WARNING
server unknown gives None
server event raises ValueError("Invalid event: 'no such event'; choose from ('connect', 'message', 'disconnect')",)
""",
    "engine_sends",
)

differs(
    PART,
    SAYS_WHERE,
    """
ann < 40{"sid":"$1"}
ann < 42["news",1]
server E '$1', 1
ann < 41
server log 'INFO Socket.IO is served at /socket.io/'
server log 'INFO emitting event "news" to $1 [/]'
server log 'INFO emitting event "news" to all [/x]'
server log 'INFO received event "E" from $1 [/]'
server log 'INFO Disconnecting $1 [/]'
server level 20
""",
    "a_logger_of_the_application",
)
