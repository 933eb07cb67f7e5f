// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {GrowthCap} from "../GrowthCap.sol";
import {Settlement} from "../Settlement.sol";
import {BadToken} from "./BadTokens.sol";
import {SettlementTest} from "./SettlementTest.sol";
import {Tree} from "./Tree.sol";
import {vm} from "./Vm.sol";

/// @notice Random histories: the cap over any span, cancel, and what accounts are paid over many batches.
contract SettlementFuzzTest is SettlementTest {
    uint256 private constant COMMITS = 8;
    uint256 private constant BATCHES = 5;
    uint256 private constant ACCOUNTS = 8;

    /// @dev Draws from one seed, so that a failing run is told by one number.
    uint256 private seed;
    mapping(address account => uint256) private proven;
    Settlement private other;
    Settlement private tricky; // of the token that blocks
    BadToken private bad;

    function setUp() public override {
        super.setUp();
        other = deploy(IERC20(token), address(0), ACTIVATION);
        token.mint(address(other), 1e27);
        bad = new BadToken();
        tricky = deploy(IERC20(bad), address(0), ACTIVATION);
        bad.mint(address(tricky), 1e27);
    }

    function testFuzz_growth_over_any_span_is_within_the_cap(uint256 seed_) public {
        seed = seed_;
        uint256[] memory totals = new uint256[](COMMITS + 1);
        uint256[] memory times = new uint256[](COMMITS + 1);
        for (uint256 i = 1; i <= COMMITS; ++i) {
            pass(ACTIVATION + draw(WINDOW));
            uint256 room = settlement.capAvailable();
            commitFails("root", totals[i - 1] + room + 1, abi.encodeWithSelector(GrowthCap.OverCap.selector, room));
            totals[i] = totals[i - 1] + (draw(3) == 0 ? draw(room + 1) : room);
            times[i] = time;
            commit("root", totals[i]);
        }
        for (uint256 i = 1; i <= COMMITS; ++i) {
            for (uint256 j = i; j <= COMMITS; ++j) {
                uint256 bound = CAP + CAP * (times[j] - times[i]) / WINDOW;
                vm.assertLe(totals[j] - totals[i - 1], bound, "growth over a span");
            }
        }
    }

    function testFuzz_a_cancelled_commit_never_was(uint256 seed_) public {
        seed = seed_;
        uint256 total;
        for (uint256 i = 0; i < 4; ++i) {
            total += draw(settlement.capAvailable() / 2);
            commitTo(settlement, "root", total);
            commitTo(other, "root", total);
            pass(ACTIVATION + draw(WINDOW));
            commitTo(other, "false", total + draw(other.capAvailable() + 1));
            pass(draw(ACTIVATION));
            uint64 last = other.sequence();
            vm.prank(GUARDIAN);
            other.cancel(last);
            pass(draw(WINDOW / 4));
            vm.assertApproxEqAbs(other.capAvailable(), settlement.capAvailable(), 2 * (i + 1), "room");
            vm.assertEq(other.total(), settlement.total());
            vm.assertEq(other.activeRoot(), settlement.activeRoot());
        }
    }

    /// @dev Batches of growing leaves, some cancelled; random subsets paid by walk or claim, by either root, to
    /// accounts some of which are blocked at times.
    function testFuzz_accounts_are_paid_what_is_proven_and_never_twice(uint256 seed_) public {
        seed = seed_;
        settlement = tricky;
        Rewards memory active = rewardsOf(1 + draw(ACCOUNTS), 1e15);
        Rewards memory before = active;
        commitActive(active);

        for (uint256 i = 0; i < BATCHES; ++i) {
            payRandomly(active);
            if (draw(2) == 0) payRandomly(before);
            Rewards memory next = grown(active);
            commit(rootOf(next), totalOf(next));
            pass(draw(ACTIVATION));
            payRandomly(active); // a pending root takes nothing from the two that count
            payRandomly(before);
            if (draw(3) == 0) {
                uint64 last = settlement.sequence();
                vm.prank(GUARDIAN);
                settlement.cancel(last);
            } else {
                pass(ACTIVATION);
                (before, active) = (active, next);
            }
            booksAgree(active);
        }
        for (uint256 i = 0; i < active.accounts.length; ++i) {
            bad.setBlocked(active.accounts[i], false);
        }
        distributeAll(active);
        vm.assertEq(settlement.totalClaimed(), totalOf(active));
    }

    function payRandomly(Rewards memory rewards) private {
        uint256 count = rewards.accounts.length;
        bad.setBlocked(rewards.accounts[draw(count)], draw(2) == 0);
        bool[] memory wanted = new bool[](count);
        wanted[draw(count)] = true;
        for (uint256 i = 0; i < count; ++i) {
            wanted[i] = wanted[i] || draw(2) == 0;
        }
        if (draw(3) == 0) {
            for (uint256 i = 0; i < count; ++i) {
                address account = rewards.accounts[i];
                if (!wanted[i] || rewards.claimables[i] <= proven[account] || bad.blocked(account)) continue;
                claim(rewards, i);
                proven[account] = rewards.claimables[i];
            }
            return;
        }
        Tree.Walked memory walked = Tree.walk(leavesOf(rewards), wanted);
        Rewards memory picked = pick(rewards, wanted);
        uint256 due;
        uint256 refused;
        for (uint256 i = 0; i < picked.accounts.length; ++i) {
            address account = picked.accounts[i];
            if (picked.claimables[i] <= proven[account]) continue;
            if (bad.blocked(account)) {
                refused += picked.claimables[i] - proven[account];
            } else {
                due += picked.claimables[i] - proven[account];
                proven[account] = picked.claimables[i];
            }
        }
        (uint256 paid, uint256 skipped) =
            settlement.distribute(picked.accounts, picked.claimables, walked.proof, walked.steps);
        vm.assertEq(paid, due, "paid");
        vm.assertEq(skipped, refused, "skipped");
    }

    function booksAgree(Rewards memory rewards) private view {
        uint256 sum;
        for (uint256 i = 0; i < rewards.accounts.length; ++i) {
            address account = rewards.accounts[i];
            vm.assertEq(settlement.claimed(account), proven[account], "claimed");
            vm.assertEq(bad.balanceOf(account), proven[account], "balance");
            sum += proven[account];
        }
        vm.assertEq(settlement.totalClaimed(), sum, "sum");
        vm.assertLe(sum, settlement.total(), "within the total");
        vm.assertLe(settlement.total() - sum, bad.balanceOf(address(settlement)), "solvent");
    }

    /// @dev The next batch: some leaves higher, none lower, perhaps new accounts.
    function grown(Rewards memory rewards) private returns (Rewards memory next) {
        next = rewardsOf(rewards.accounts.length + draw(3), 1e15);
        for (uint256 i = 0; i < rewards.accounts.length; ++i) {
            next.claimables[i] = rewards.claimables[i] + (draw(3) == 0 ? 0 : draw(1e18));
        }
    }

    /// @dev A number below `bound`, at least 0.
    function draw(uint256 bound) private returns (uint256) {
        seed = uint256(keccak256(abi.encode(seed)));
        return bound == 0 ? 0 : seed % bound;
    }
}
