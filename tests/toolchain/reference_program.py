"""The reference as a program of its own, as on an event builder: a manager and forked children.

It is started under the name `bootstrax`, by which it is known among the processes of a host; the
request is in REFERENCE_REQUEST, as the nursery takes it.
"""

import json
import os

from reference_nursery import be_the_reference

be_the_reference(json.loads(os.environ["REFERENCE_REQUEST"]))
