"""What a policy sees, does and is paid for: free functions on NumPy arrays or torch tensors.

In:  states and actions of N environments, or of one real robot.   Out: observations, joint targets, rewards, endings.
Not here: any physics engine: importing this loads none. When things happen (env), how much is disturbed (perturbation).

``observations``, ``actions``, ``goal`` and ``body`` serve the environment and the runner alike.
"""
