"""A person at a terminal: runs a command there, with its standard error in a file, and types a word at each prompt.

    typist.py ERRORS PROMPT=WORD... -- COMMAND...

Prints all that the terminal showed, and ends as the command does.
"""
import os
import pty
import sys

errors, *words = sys.argv[1:]
command = words[words.index("--") + 1 :]
child, terminal = pty.fork()
if child == 0:
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
    os.execvp(command[0], command)

shown = b""


def read() -> bool:
    """Takes in what is shown; False at the end, which Linux tells as an error."""
    global shown
    try:
        more = os.read(terminal, 4096)
    except OSError:
        return False
    shown += more
    return more != b""


for word in words[: words.index("--")]:
    prompt, answer = word.split("=", 1)
    before = len(shown)
    while prompt.encode() not in shown[before:] and read():
        pass
    os.write(terminal, answer.encode() + b"\r")
while read():
    pass
sys.stdout.write(shown.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
