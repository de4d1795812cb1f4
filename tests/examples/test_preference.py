"""The example of preferences, judged by a program and by a person."""


def test_the_simulated_judge_is_led_to_a_glass_it_likes(run_example):
    printed = run_example("preference", "--rounds", 10)
    liking = float(printed.split("liking of it: ")[1].split()[0])

    assert "best of 10 comparisons: trial" in printed
    assert liking > -4


def test_a_person_is_asked_and_may_be_unable_to_tell(run_example):
    printed = run_example("preference", "--ask", "--rounds", 3, said="1\n=\n2\n")

    assert printed.count("Which tastes better") == 3
