import os
from pathlib import Path

from operations.folder import Folder
from operations.forgetting.server_logs import ServerLogs
from tasks.forgetting.person import Person
from tasks.forgetting.place import Action


def test_lines_are_blanked_while_the_server_appends(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.create()
    person = Person(identities={"Ada Lovelace"}, photos={"ab" * 32})
    log = folder.log("worker")
    lines = ["start", "pairs without a photo: Ada Lovelace/Ada Lovelace_0001", f"photo {'ab' * 32}", "end"]
    with log.open("a") as server:
        server.write("\n".join([*lines, ""]))
        server.flush()
        place = ServerLogs(folder)
        (finding,) = place.find(person)
        assert (finding.what, finding.action, finding.count) == (str(log), Action.REWRITE, 2)
        place.erase(person, [finding])
        server.write("more\n")
    read = log.read_text().splitlines()
    assert [line.strip() for line in read] == ["start", "", "", "end", "more"]
    assert [len(line) for line in read[:4]] == [len(line) for line in lines]
    assert place.find(person) == []


def test_volumes_of_the_s3_store_are_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.create()
    photo = os.urandom(5000)
    (folder.s3 / "1.dat").write_bytes(b"head" + photo)
    person = Person()
    assert ServerLogs(folder).find(person) == []
    person.add_photo(photo)
    (finding,) = ServerLogs(folder).find(person)
    assert (finding.what, finding.action) == (str(folder.s3 / "1.dat"), Action.LEFT)


def test_without_servers_there_is_nothing(tmp_path: Path) -> None:
    assert ServerLogs(Folder(tmp_path / "gone")).find(Person(identities={"Ada"})) == []
