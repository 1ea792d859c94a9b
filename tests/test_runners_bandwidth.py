"""Memory bandwidth: plausible figures with their method; nothing here asserts a speed of the test machine."""

from datetime import datetime

from runners.bandwidth import MIB, measure_bandwidth


def test_a_measurement_is_plausible_and_says_how_it_was_made() -> None:
    measurement = measure_bandwidth(buffer_bytes=64 * MIB, seconds=0.1)
    assert 1e8 < measurement.bytes_per_second < 1e13
    assert "numpy" in measurement.method
    assert datetime.fromisoformat(measurement.measured_at).utcoffset() is not None


def test_every_thread_reads_its_share_of_the_buffer() -> None:
    measurement = measure_bandwidth(buffer_bytes=12 * MIB, seconds=0.0, threads=3)
    assert measurement.threads == 3
    assert measurement.buffer_bytes == 12 * MIB
