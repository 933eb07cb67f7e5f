// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Batches} from "../Batches.sol";
import {Roles} from "../Roles.sol";
import {Settlement} from "../Settlement.sol";
import {SettlementTest} from "./SettlementTest.sol";
import {vm} from "./Vm.sol";

/// @notice A successor takes over: each contract pays what was earned in it, neither less nor twice.
contract SettlementMigrationTest is SettlementTest {
    Settlement private old;
    Settlement private successor;

    function setUp() public override {
        super.setUp();
        old = settlement;
        successor = deploy(IERC20(token), address(0), ACTIVATION);
        token.mint(address(successor), 1e27);
    }

    function test_what_was_in_flight_is_paid_by_the_contract_its_receipts_name() public {
        Rewards memory first = rewardsOf(4, 1e18);
        commitActive(first);
        claim(first, 1);
        retire();
        // Receipts signed for the old contract still come in: its last batch, within the role delay.
        Rewards memory last = rewardsOf(4, 3e18);
        pass(ROLE - 1);
        commit(rootOf(last), totalOf(last));
        // Receipts for the successor start from nothing: a root never carries sums over.
        settlement = successor;
        Rewards memory fresh = rewardsOf(4, 2e18);
        commitActive(fresh);
        distributeAll(fresh);
        settlement = old;
        distributeAll(last);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(token.balanceOf(last.accounts[i]), last.claimables[i] + fresh.claimables[i]);
        }
        vm.assertEq(old.totalClaimed(), totalOf(last));
        vm.assertEq(successor.totalClaimed(), totalOf(fresh));
    }

    function test_a_batch_pending_at_retirement_becomes_active_after_it() public {
        Rewards memory last = rewardsOf(3, 1e18);
        retire();
        pass(ROLE - 1);
        commit(rootOf(last), totalOf(last));
        pass(1);
        vm.assertEq(settlement.operator(), address(0));
        claimFails(last, 0, Batches.BadProof.selector);
        pass(ACTIVATION - 1);
        claim(last, 0);
        distributeAll(last);
        vm.assertEq(settlement.totalClaimed(), 6e18);
    }

    function test_the_guardian_still_cancels_what_is_pending_at_retirement() public {
        retire();
        pass(ROLE - 1);
        commit("false", 6e18);
        pass(1);
        vm.prank(GUARDIAN);
        settlement.cancel(1);
        vm.assertEq(settlement.total(), 0);
        vm.assertEq(settlement.capAvailable(), CAP);
    }

    function test_proofs_and_headers_of_one_contract_do_not_count_in_the_other() public {
        Rewards memory rewards = rewardsOf(4, 1e18);
        commitActive(rewards);
        settlement = successor;
        claimFails(rewards, 0, Batches.BadProof.selector);
        bytes32 foreign = old.header(0);
        vm.assertTrue(foreign != successor.header(0));
        vm.prank(OPERATOR);
        vm.expectRevert(Settlement.WrongParent.selector);
        successor.commit(1, foreign, "receipts", "root", "archive", 1, 1);
    }

    function test_after_retirement_nobody_commits_not_even_a_new_operator() public {
        vm.prank(OWNER);
        settlement.proposeOperator(STRANGER);
        retire();
        pass(ROLE);
        commitFails("late", 1, abi.encodeWithSelector(Roles.NotOperator.selector));
        vm.prank(STRANGER);
        vm.expectRevert(Roles.IsRetired.selector);
        settlement.acceptOperator();
    }

    function retire() private {
        vm.prank(OWNER);
        vm.expectEmit();
        emit Roles.Retired(address(successor), time + ROLE);
        old.retire(address(successor));
    }
}
