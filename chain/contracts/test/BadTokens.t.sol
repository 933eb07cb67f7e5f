// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Settlement} from "../Settlement.sol";
import {BadToken} from "./BadTokens.sol";
import {SettlementTest} from "./SettlementTest.sol";
import {Tree} from "./Tree.sol";
import {vm} from "./Vm.sol";

/// @notice Tokens and recipients that refuse, lie, take a part or call back.
contract SettlementBadTokenTest is SettlementTest {
    BadToken private bad;
    Rewards private batch;

    function setUp() public override {
        super.setUp();
        bad = new BadToken();
        settlement = deploy(IERC20(bad), FUNDER, ACTIVATION);
        bad.mint(address(settlement), 10e18);
        batch = rewardsOf(4, 1e18);
        commitActive(batch);
    }

    function test_false_is_a_failure() public {
        oneIsSkipped(BadToken.Way.ReturnsFalse);
    }

    function test_a_revert_is_a_failure() public {
        oneIsSkipped(BadToken.Way.Reverts);
    }

    function test_a_return_bomb_is_a_failure_and_nothing_more() public {
        oneIsSkipped(BadToken.Way.ReturnBomb);
    }

    function test_whoever_fails_and_however_the_others_of_its_call_are_paid() public {
        BadToken.Way[4] memory ways =
            [BadToken.Way.ReturnsFalse, BadToken.Way.ReturnsTwo, BadToken.Way.Reverts, BadToken.Way.ReturnBomb];
        for (uint256 way = 0; way < 4; ++way) {
            for (uint256 i = 0; i < 4; ++i) {
                Rewards memory next = rewardsOf(4, (4 * way + i + 2) * 1e18);
                bad.mint(address(settlement), 10e18);
                commitActive(next);
                bad.setWay(ways[way], next.accounts[i]);
                distributeAll(next);
                for (uint256 j = 0; j < 4; ++j) {
                    bool isPaid = bad.balanceOf(next.accounts[j]) == next.claimables[j];
                    vm.assertTrue(isPaid == (j != i));
                }
                bad.setWay(BadToken.Way.Good, address(0));
                claim(next, i);
            }
        }
    }

    function test_a_recipient_that_burns_gas_fails_its_set_and_is_left_out() public {
        bad.setWay(BadToken.Way.BurnsGas, batch.accounts[1]);
        Tree.Walked memory walked = Tree.walk(leavesOf(batch), allOf(batch));
        // 63 parts in 64 are burnt each time: what estimateGas meets before anything is sent.
        (bool ok,) = address(settlement).call{gas: 1_000_000}(
            abi.encodeCall(settlement.distribute, (batch.accounts, batch.claimables, walked.proof, walked.steps))
        );
        vm.assertTrue(!ok);
        vm.assertEq(settlement.totalClaimed(), 0);

        bool[] memory wanted = allOf(batch);
        wanted[1] = false;
        walked = Tree.walk(leavesOf(batch), wanted);
        Rewards memory picked = pick(batch, wanted);
        (uint256 paid, uint256 skipped) = settlement.distribute{gas: 1_000_000}(
            picked.accounts, picked.claimables, walked.proof, walked.steps
        );
        vm.assertEq(paid, 8e18);
        vm.assertEq(skipped, 0);
    }

    function test_no_return_value_is_a_success() public {
        bad.setWay(BadToken.Way.ReturnsNothing, address(0));
        claim(batch, 0);
        (uint256 paid, uint256 skipped) = distributeAll(batch);
        vm.assertEq(paid, 9e18);
        vm.assertEq(skipped, 0);
    }

    function test_a_claim_that_fails_reverts_and_stays_due() public {
        bad.setWay(BadToken.Way.ReturnsFalse, address(0));
        bytes32[] memory proof = proofOf(batch, 1);
        vm.expectRevert();
        settlement.claim(batch.accounts[1], address(bad), 2e18, proof);
        vm.assertEq(settlement.claimed(batch.accounts[1]), 0);
        bad.setWay(BadToken.Way.Good, address(0));
        vm.assertEq(claim(batch, 1), 2e18);
    }

    function test_a_blocked_account_is_skipped_and_claims_later() public {
        bad.setBlocked(batch.accounts[2], true);
        vm.expectEmit();
        emit Settlement.Skipped(batch.accounts[2], 3e18);
        (uint256 paid, uint256 skipped) = distributeAll(batch);
        vm.assertEq(paid, 7e18);
        vm.assertEq(skipped, 3e18);
        bad.setBlocked(batch.accounts[2], false);
        vm.assertEq(claim(batch, 2), 3e18);
    }

    function test_a_blocked_contract_skips_all_and_keeps_everything_due() public {
        bad.setBlocked(address(settlement), true);
        (uint256 paid, uint256 skipped) = distributeAll(batch);
        vm.assertEq(paid, 0);
        vm.assertEq(skipped, 10e18);
        vm.assertEq(settlement.totalClaimed(), 0);
    }

    function test_a_skipped_payment_does_not_use_up_the_total() public {
        Rewards memory more = rewardsOf(5, 1e18);
        bad.mint(address(settlement), 1e18);
        commit(rootOf(more), 11e18); // 4e18 short of its leaves
        pass(ACTIVATION);
        bad.setBlocked(more.accounts[3], true);
        (uint256 paid, uint256 skipped) = distributeAll(more);
        vm.assertEq(paid, 11e18);
        vm.assertEq(skipped, 4e18);
    }

    function test_a_token_that_takes_a_part_leaves_the_last_ones_waiting() public {
        bad.setWay(BadToken.Way.TakesFee, address(0));
        (uint256 paid, uint256 skipped) = distributeAll(batch);
        vm.assertEq(paid, 10e18);
        vm.assertEq(skipped, 0);
        vm.assertEq(bad.balanceOf(batch.accounts[3]), 3.6e18); // unsupported: its earners bear the fee
    }

    function test_funding_by_a_token_that_takes_a_part_is_refused() public {
        bad.setWay(BadToken.Way.TakesFee, address(0));
        bad.mint(FUNDER, 100e18);
        vm.prank(FUNDER);
        bad.approve(address(settlement), 100e18);
        commitFails("two", 20e18, abi.encodeWithSelector(Settlement.Underfunded.selector, 1e18));
    }

    function test_funding_that_answers_false_is_refused() public {
        bad.setWay(BadToken.Way.ReturnsFalse, address(0));
        commitFails("two", 20e18, abi.encodeWithSelector(Settlement.Underfunded.selector, 10e18));
    }

    function test_a_recipient_that_calls_claim_back_gets_nothing_twice() public {
        bytes32[] memory proof = proofOf(batch, 1);
        callsBack(abi.encodeCall(settlement.claim, (batch.accounts[1], address(bad), 2e18, proof)));
        (uint256 paid,) = distributeAll(batch);
        vm.assertEq(paid, 10e18);
        paidOnce();
    }

    function test_a_recipient_that_calls_distribute_back_gets_nothing_twice() public {
        Tree.Walked memory walked = Tree.walk(leavesOf(batch), allOf(batch));
        callsBack(abi.encodeCall(settlement.distribute, (batch.accounts, batch.claimables, walked.proof, walked.steps)));
        vm.assertEq(claim(batch, 3), 4e18);
        vm.assertTrue(!bad.hookSucceeded());
        (uint256 paid,) = distributeAll(batch);
        vm.assertEq(paid, 6e18);
        paidOnce();
    }

    function test_a_token_that_holds_a_role_changes_no_batch_inside_a_payment() public {
        settlement = new Settlement(
            IERC20(bad), address(bad), address(bad), address(bad), FUNDER, CAP, WINDOW, ACTIVATION, ROLE, PAUSE
        );
        bad.mint(address(settlement), 10e18);
        bytes32 zero = settlement.header(0);
        bytes32 root = rootOf(batch);
        vm.prank(address(bad));
        settlement.commit(1, zero, "receipts", root, "archive", 10e18, 7);
        pass(ACTIVATION);
        bytes[4] memory calls = [
            abi.encodeCall(settlement.commit, (2, settlement.header(1), "", "root", "", 11e18, 0)),
            abi.encodeCall(settlement.cancel, (1)),
            abi.encodeCall(settlement.pause, ()),
            abi.encodeCall(settlement.unpause, ())
        ];
        for (uint256 i = 0; i < 4; ++i) {
            callsBack(calls[i]);
            claim(batch, i);
            vm.assertTrue(!bad.hookSucceeded());
            vm.assertEq(
                bytes32(bytes4(bad.hookAnswer())),
                bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
            );
        }
        vm.assertEq(settlement.sequence(), 1);
        vm.assertEq(settlement.pausedUntil(), 0);
    }

    function callsBack(bytes memory data) private {
        bad.setHook(address(settlement), data);
        bad.setWay(BadToken.Way.CallsBack, address(0));
    }

    function paidOnce() private view {
        vm.assertTrue(!bad.hookSucceeded());
        vm.assertEq(settlement.totalClaimed(), 10e18);
        vm.assertEq(bad.balanceOf(address(settlement)), 0);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(bad.balanceOf(batch.accounts[i]), batch.claimables[i]);
        }
    }

    function oneIsSkipped(BadToken.Way way) private {
        bad.setWay(way, batch.accounts[1]);
        (uint256 paid, uint256 skipped) = distributeAll(batch);
        vm.assertEq(paid, 8e18);
        vm.assertEq(skipped, 2e18);
        vm.assertEq(settlement.claimed(batch.accounts[1]), 0);
        vm.assertEq(settlement.totalClaimed(), 8e18);
        bad.setWay(BadToken.Way.Good, address(0));
        vm.assertEq(claim(batch, 1), 2e18);
    }
}
