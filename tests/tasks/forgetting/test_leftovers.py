import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.forgetting.leftovers import Leftovers
from tasks.forgetting.located import Located
from tasks.forgetting.place import Action
from tests.tasks.forgetting.small import ADA, gathered


def test_copies_go_tables_lose_rows_and_other_files_are_named(small: Path) -> None:
    person = gathered(small)
    shutil.copy(small / "photos" / ADA / "1.jpg", small / "copy.bin")
    notes = small / "notes" / "found.txt"
    notes.parent.mkdir()
    notes.write_text(f"the photo {min(person.photos)}")
    (small / "notes" / "name.txt").write_text(f"{ADA} wrote programs")  # a name alone may be anybody's
    table = pa.table({"sha256": [min(person.photos), "0" * 64], "template": [[1.0], [2.0]]})
    pq.write_table(table, small / "templates.parquet")
    temporary = small / ".dvc" / "tmp" / "exps" / "x"
    temporary.parent.mkdir(parents=True)
    temporary.write_text(min(person.photos))
    (small / ".venv").mkdir()
    shutil.copy(small / "copy.bin", small / ".venv")
    place = Leftovers(small, [Located(small / "photos", inside=True)])
    found = {Path(f.what).relative_to(small).as_posix(): f.action for f in place.find(person)}
    assert found == {
        "copy.bin": Action.REMOVE,
        "notes/found.txt": Action.LEFT,
        "templates.parquet": Action.REWRITE,
        ".dvc/tmp/exps/x": Action.REMOVE,
    }
    place.erase(person, place.find(person))
    assert [Path(f.what).name for f in place.find(person)] == ["found.txt"]
    assert pq.read_table(small / "templates.parquet").to_pylist() == table.to_pylist()[1:]
    assert not (small / "copy.bin").exists()
    assert (small / "photos" / ADA / "1.jpg").exists()  # another place takes care of it
