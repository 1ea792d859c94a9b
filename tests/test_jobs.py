"""Jobs: one after the other, cancelled at any moment, every outcome a state, and one device at a time."""

import threading
from functools import partial
from pathlib import Path

import pytest
from filelock import FileLock

from catalog.errors import WorkbenchError
from workbench.benchmark_runs import hold_device, set_aside
from workbench.jobs import Job, JobQueue, UnknownJob
from workbench.settings import Settings, read_settings


def test_jobs_run_one_after_the_other_in_their_order() -> None:
    queue, order, running = JobQueue(), list[str](), threading.Lock()

    def work(name: str, _: Job) -> None:
        assert running.acquire(blocking=False), "two jobs ran at once"
        order.append(name)
        running.release()

    jobs = [queue.submit(name, partial(work, name)) for name in "abc"]
    assert all(job.wait(10) for job in jobs)
    assert order == ["a", "b", "c"]
    assert [status.title for status in queue.all()] == ["c", "b", "a"]
    late = queue.submit("d", partial(work, "d"))
    assert late.wait(10)
    assert order[-1] == "d"


def test_a_download_does_not_wait_for_a_measurement() -> None:
    queue, measured, downloaded = JobQueue(), threading.Event(), threading.Event()

    def measure(_: Job) -> None:
        assert downloaded.wait(10), "the download waited for the measurement"
        measured.set()

    first = queue.submit("measures", measure)
    second = queue.submit("downloads", lambda _: downloaded.set(), lane="network")
    assert first.wait(10)
    assert second.wait(10)
    assert measured.is_set()


def test_an_expected_error_is_told_and_the_queue_goes_on() -> None:
    queue = JobQueue()

    def fail(_: Job) -> None:
        raise WorkbenchError("The disk is full. Free some space.")

    failed, after = queue.submit("fails", fail), queue.submit("works", lambda _: None)
    assert failed.wait(10)
    assert after.wait(10)
    assert failed.status().state == "failed"
    assert failed.status().message == "The disk is full. Free some space."
    assert after.status().state == "finished"


def test_a_cancelled_job_says_so_whether_it_had_begun_or_not() -> None:
    queue, begun = JobQueue(), threading.Event()

    def work(job: Job) -> None:
        begun.set()
        while not job.is_cancelled():
            threading.Event().wait(0.01)

    first, second = queue.submit("first", work), queue.submit("second", work)
    assert begun.wait(10)
    queue.cancel(second.status().id)
    queue.cancel(first.status().id)
    assert first.wait(10)
    assert second.wait(10)
    assert [first.status().state, second.status().state] == ["cancelled", "cancelled"]


def test_an_unknown_job_is_a_sentence() -> None:
    with pytest.raises(UnknownJob, match="earlier start"):
        JobQueue().status("nothing")


def test_a_job_waits_for_the_device_says_so_and_can_be_cancelled_meanwhile(tmp_path: Path) -> None:
    settings = read_settings(tmp_path)
    other = FileLock(settings.device_lock_path)
    queue, holding = JobQueue(), threading.Event()

    def work(job: Job) -> None:
        with hold_device(job, settings):
            holding.set()

    with other:
        job = queue.submit("waits", work)
        deadline = threading.Event()
        for _ in range(200):
            if "another workbench" in job.status().message:
                break
            deadline.wait(0.05)
        assert job.status().state == "queued"
        assert not holding.is_set()
        impatient = queue.submit("cancelled", work)
        queue.cancel(impatient.status().id)
    assert job.wait(30)
    assert job.status().state == "finished"
    assert impatient.wait(30)
    assert impatient.status().state == "cancelled"


def test_an_earlier_run_is_set_aside_under_the_next_free_number(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for _ in range(3):
        folder = settings.run_folder("key")
        folder.path.mkdir(parents=True)
        set_aside(folder)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["key.1", "key.2", "key.3"]


def test_stopping_cancels_everything_and_names_what_goes_on_all_the_same() -> None:
    queue, free = JobQueue(), threading.Event()

    def obey(job: Job) -> None:
        while not job.is_cancelled():
            job.wait(0.01)

    def ignore(_: Job) -> None:
        free.wait(20)

    obedient = queue.submit("obeys", obey)
    waiting = queue.submit("waits", lambda _: None)
    deaf = queue.submit("deaf", ignore, lane="network")
    left = queue.stop(3)
    assert [job.title for job in left] == ["deaf"]
    assert obedient.wait(5)
    assert waiting.wait(5)
    assert {obedient.status().state, waiting.status().state} == {"cancelled"}
    free.set()
    assert deaf.wait(5)


def test_a_job_of_an_earlier_start_is_never_taken_for_a_new_one() -> None:
    ids = {JobQueue().submit("work", lambda _: None).status().id for _ in range(2)}
    assert len(ids) == 2
