// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SettlementTest} from "./SettlementTest.sol";
import {Tree} from "./Tree.sol";
import {vm} from "./Vm.sol";

/// @notice What settlement may cost, each call a transaction of its own with cold storage, 21 000 and calldata.
/// Goals for a plain ERC-20 under the EVM version of foundry.toml; a later hard fork needs its own.
/// forge-config: default.isolate = true
contract SettlementGasTest is SettlementTest {
    event Measured(string what, uint256 gas);

    function setUp() public override {
        super.setUp();
        vm.prank(OWNER);
        settlement.setCap(type(uint128).max);
        pass(ROLE);
    }

    function test_distribute_to_existing_recipients() public {
        costs("existing, each of 256", distributed(256, 256, true) / 256, 15_200);
        costs("existing, each of 64", distributed(64, 64, true) / 64, 15_700);
    }

    function test_distribute_to_new_recipients() public {
        costs("new, each of 256", distributed(256, 256, false) / 256, 49_500);
    }

    function test_distribute_when_half_are_due() public {
        costs("half due, each of 128 in 256", distributed(256, 128, true) / 128, 16_200);
    }

    function test_distribute_to_holders_never_paid_here() public {
        Rewards memory rewards = rewardsOf(256, 1e18);
        for (uint256 i = 0; i < 256; ++i) {
            token.mint(rewards.accounts[i], 1);
        }
        commitActive(rewards);
        distributeAll(rewards);
        costs("holder's first, each of 256", last() / 256, 32_500);
    }

    function test_commit() public {
        commit("one", 1e18);
        costs("commit, first", last(), 140_000);
        pass(ACTIVATION);
        commit("two", 2e18);
        pass(ACTIVATION);
        commit("three", 3e18);
        costs("commit, steady", last(), 90_000);
        vm.prank(GUARDIAN);
        settlement.cancel(3);
        costs("cancel", last(), 60_000);
    }

    function test_commit_that_pulls_funds() public {
        settlement = deploy(IERC20(token), FUNDER, ACTIVATION);
        token.mint(FUNDER, 1e24);
        token.mint(address(settlement), 1);
        vm.prank(FUNDER);
        token.approve(address(settlement), 1e24);
        commit("one", 1e18);
        pass(ACTIVATION);
        commit("two", 2e18);
        pass(ACTIVATION);
        commit("three", 3e18);
        costs("commit, pulling", last(), 140_000);
    }

    function test_claim() public {
        Rewards memory rewards = rewardsOf(1024, 1e15);
        commitActive(rewards);
        claim(rewards, 6); // the contract's very first payment also fills the slot of totalClaimed
        claim(rewards, 5);
        costs("claim of 10 levels, new", last(), 100_000);
        rewards = rewardsOf(1024, 2e15);
        commitActive(rewards);
        claim(rewards, 5);
        costs("claim of 10 levels, existing", last(), 66_000);
    }

    /// @dev Gas of one distribution to the first rows; existing recipients were paid a batch before.
    function distributed(uint256 n, uint256 due, bool existing) private returns (uint256) {
        settlement = deploy(IERC20(token), address(0), ACTIVATION);
        token.mint(address(settlement), 1e27);
        Rewards memory rewards = rewardsOf(n, 1e15);
        bool[] memory wanted = new bool[](n);
        for (uint256 i = 0; i < n; ++i) {
            wanted[i] = due == n || i % (n / due) == 0;
        }
        if (existing) {
            commitActive(rewards);
            distributeAll(rewards);
            rewards = rewardsOf(n, 2e15);
        }
        commitActive(rewards);
        Tree.Walked memory walked = Tree.walk(leavesOf(rewards), wanted);
        Rewards memory picked = pick(rewards, wanted);
        settlement.distribute(picked.accounts, picked.claimables, walked.proof, walked.steps);
        return last();
    }

    function last() private view returns (uint256) {
        return vm.lastCallGas().gasTotalUsed;
    }

    function costs(string memory what, uint256 gas, uint256 goal) private {
        emit Measured(what, gas);
        vm.assertLe(gas, goal, what);
    }
}
