# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody between the publisher and a host can do to a repository's metadata: one function each. look() has the host look at what
is there before."""

from fake_repository import Key, signed, utc

DAY = 86400
# of no kernel, in the shard of the tests' own
OTHER_BUILD_ID = "5" + "cd" * 19 + "e"


def wrong_key(repo, look):
    """Somebody else's key under the same payload."""
    payload = repo.publish().split(b"\n\n", 1)[1]
    repo.write("timestamp.signed", signed("timestamp", payload, [Key(repo.keys_dir / "stranger.pem")]))


def changed(repo, look):
    data = repo.publish()
    repo.write("timestamp.signed", data.replace(b'"blocked": []', b'"blocked":  []'))


def role(repo, look):
    repo.publish_timestamp(repo.publish_index(repo.publish_release()), role="root")


def one_of_two(repo, look):
    repo.publish_timestamp(repo.publish_index(repo.publish_release(signers=["release1"])))


def same_twice(repo, look):
    repo.publish_timestamp(repo.publish_index(repo.publish_release(signers=["release1", "release1"])))


def expired(repo, look):
    repo.publish(issued=utc(repo.now - 9 * DAY), expires=utc(repo.now - 2 * DAY))


def future(repo, look):
    repo.publish(issued=utc(repo.now + 3 * DAY))


def replay(repo, look):
    old = (repo.root / "timestamp.signed").read_bytes()
    repo.publish()
    look()
    repo.write("timestamp.signed", old)


def release_replay(repo, look):
    entry = repo.publish_release()
    repo.publish_timestamp(repo.publish_index(repo.publish_release()))
    look()
    repo.publish_timestamp(repo.publish_index(entry))


def mix(repo, look):
    shards = repo.publish_index(repo.publish_release())
    repo.publish_timestamp(shards)
    other = repo.publish_index(repo.publish_release())
    mine = int(repo.kernel["build_id"][0], 16)
    repo.write(f"index/{shards[mine]['sha256']}.json", (repo.root / f"index/{other[mine]['sha256']}.json").read_bytes())


def other_kernels_release(repo, look):
    other = {**repo.kernel, "build_id": OTHER_BUILD_ID}
    doc = repo.release_doc(kernel=other)
    repo.publish_timestamp(repo.publish_index(repo.publish_release(doc=doc)))


def other_version(repo, look):
    doc = repo.release_doc(kernel={**repo.kernel, "version": "#1 SMP another build"})
    repo.publish_timestamp(repo.publish_index(repo.publish_release(doc=doc)))


def root_skips(repo, look):
    repo.version["root"] += 1  # 3 under the name of 2
    data = signed("root", repo.make_root(), [repo.keys["root1"], repo.keys["root2"]])
    repo.write("root/2.signed", data)


def root_one_signature(repo, look):
    repo.publish_root(signers=["root1"])


def root_stolen(repo, look):
    repo.keys = {name: Key(repo.keys_dir / f"stolen-{name}.pem") for name in repo.keys}
    repo.publish_root()


def huge(repo, look):
    repo.write("timestamp.signed", b"x" * (2 << 20))


def no_signatures(repo, look):
    repo.write("timestamp.signed", b"{}")


def not_json(repo, look):
    repo.write("timestamp.signed", signed("timestamp", b"\xff{", [repo.keys["timestamp"]]))
