# SPDX-License-Identifier: Apache-2.0
import signal
import sys

from flask import Flask, render_template
from werkzeug.serving import make_server

app = Flask(__name__)


@app.route("/<name>")
def greet(name):
    return render_template("page.html", name=name)


def main():
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    server = make_server("127.0.0.1", port, app, threaded=True)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
