"""What this folder needs, in the one sentence that is said where it is missing."""

NEEDS = "its tests hold Kenyon against Larvaworld 2.5.1, which is not installed here; run `make test-larvaworld`"
