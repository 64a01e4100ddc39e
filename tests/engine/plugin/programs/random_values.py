"""One of each random value."""

import pulumi
import pulumi_random as random

config = pulumi.Config()
keepers = {"round": config.get("round") or "1"}
data = random.RandomBytes("data", length=32, keepers=keepers)
password = random.RandomPassword("password", length=16, min_numeric=3, override_special="_-")
identifier = random.RandomId("identifier", byte_length=4, prefix="hub-")
word = random.RandomString("word", length=12, special=False, upper=False)
pulumi.export("hex", data.hex)
pulumi.export("password", password.result)
pulumi.export("identifier", identifier.hex)
pulumi.export("word", word.result)
