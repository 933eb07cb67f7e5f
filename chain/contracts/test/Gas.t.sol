// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BulkSender, UrdStyle} from "./Rivals.sol";
import {SettlementTest} from "./SettlementTest.sol";
import {Tree} from "./Tree.sol";
import {vm} from "./Vm.sol";

/// @notice What settlement may cost: its goals, and every figure of `scripts/bench-gas`.  Each call is a
/// transaction of its own with cold storage, 21 000 and calldata; a plain ERC-20; once a hard fork.
abstract contract GasTest is SettlementTest {
    address private constant PAYEE = address(0xC0FFEE);

    function fork() internal pure virtual returns (string memory);

    function setUp() public override {
        vm.setEvmVersion(fork());
        super.setUp();
        vm.prank(OWNER);
        settlement.setCap(type(uint128).max);
        pass(ROLE);
    }

    function test_distribute_to_existing_recipients() public {
        costs("distribute/existing of 1", distributed(1, 1, true, 0), 70_000);
        costs("distribute/existing of 16", distributed(16, 16, true, 0) / 16, 18_500);
        costs("distribute/existing of 64", distributed(64, 64, true, 0) / 64, 15_700);
        costs("distribute/existing of 256", distributed(256, 256, true, 0) / 256, 15_200);
    }

    function test_distribute_to_new_recipients() public {
        costs("distribute/new of 1", distributed(1, 1, false, 0), 121_000);
        costs("distribute/new of 16", distributed(16, 16, false, 0) / 16, 53_000);
        costs("distribute/new of 64", distributed(64, 64, false, 0) / 64, 50_500);
        costs("distribute/new of 256", distributed(256, 256, false, 0) / 256, 49_500);
    }

    function test_distribute_when_half_are_due() public {
        costs("distribute/half of 256 due", distributed(256, 128, true, 0) / 128, 16_200);
    }

    function test_distribute_to_holders_never_paid_here() public {
        costs("distribute/holder's first of 256", distributed(256, 256, false, 1) / 256, 32_500);
    }

    function test_commit() public {
        commit("one", 1e18);
        costs("commit/first", last(), 140_000);
        commitNext("two");
        costs("commit/second", last(), 121_000);
        commitNext("three");
        costs("commit/third", last(), 110_000);
        commitNext("four");
        costs("commit/steady", last(), 90_000);
        vm.prank(GUARDIAN);
        settlement.cancel(4);
        costs("cancel", last(), 50_000);
        commitNext("five");
        costs("commit/after a cancel", last(), 90_000);
    }

    function test_commit_that_pulls_funds() public {
        settlement = deploy(IERC20(token), FUNDER, ACTIVATION);
        token.mint(FUNDER, 1e24);
        vm.prank(FUNDER);
        token.approve(address(settlement), 1e24);
        commit("one", 1e18);
        costs("commit/first, pulling", last(), 195_000);
        commitNext("two");
        commitNext("three");
        commitNext("four");
        costs("commit/steady, pulling", last(), 140_000);
    }

    function test_claim() public {
        (uint256 new10, uint256 existing10) = claims(10);
        (uint256 new20, uint256 existing20) = claims(20);
        costs("claim/10 levels, existing", existing10, 66_000);
        costs("claim/10 levels, new", new10, 100_000);
        costs("claim/20 levels, existing", existing20, 72_500);
        costs("claim/20 levels, new", new20, 106_500);
        costs("claim/a level", (existing20 - existing10) / 10, 680);
    }

    function test_rivals() public {
        vm.prank(FUNDER);
        token.mint(FUNDER, 1e24);
        vm.prank(FUNDER);
        token.transfer(PAYEE, 1);
        costs("rival/plain transfer, new", last(), 60_000);
        vm.prank(FUNDER);
        token.transfer(PAYEE, 1);
        costs("rival/plain transfer, existing", last(), 45_000);

        BulkSender bulk = new BulkSender();
        Rewards memory rewards = rewardsOf(256, 1e15);
        vm.prank(FUNDER);
        token.approve(address(bulk), type(uint256).max);
        vm.prank(FUNDER);
        bulk.send(token, rewards.accounts, rewards.claimables);
        costs("rival/bulk sender of 256, new", last() / 256, 30_000);
        vm.prank(FUNDER);
        bulk.send(token, rewards.accounts, rewards.claimables);
        costs("rival/bulk sender of 256, existing", last() / 256, 12_000);

        UrdStyle urd = new UrdStyle();
        token.mint(address(urd), 1e24);
        bytes32[] memory proof = new bytes32[](10);
        urd.setRoot(rootAbove(Tree.leaf(STRANGER, address(token), 1e18), proof));
        urd.claim(STRANGER, address(token), 1e18, proof);
        costs("rival/URD claim of 10 levels, new", last(), 95_000);
        urd.setRoot(rootAbove(Tree.leaf(STRANGER, address(token), 2e18), proof));
        urd.claim(STRANGER, address(token), 2e18, proof);
        costs("rival/URD claim of 10 levels, existing", last(), 60_000);
    }

    /// @dev Gas of a claim by an account never paid, then by one that was.
    function claims(uint256 levels) private returns (uint256 first, uint256 second) {
        settlement = deploy(IERC20(token), address(0), ACTIVATION);
        token.mint(address(settlement), 1e27);
        // The contract's very first payment also fills the slot of totalClaimed.
        claimed(PAYEE, 1e18, levels);
        first = claimed(address(uint160(0xF000 + levels)), 1e18, levels);
        second = claimed(address(uint160(0xF000 + levels)), 2e18, levels);
    }

    function claimed(address account, uint256 claimable, uint256 levels) private returns (uint256) {
        bytes32[] memory proof = new bytes32[](levels);
        for (uint256 i = 0; i < levels; ++i) {
            proof[i] = keccak256(abi.encode(i));
        }
        commit(rootAbove(Tree.leaf(account, address(token), claimable), proof), settlement.total() + 1e18);
        pass(ACTIVATION);
        settlement.claim(account, address(token), claimable, proof);
        return last();
    }

    function rootAbove(bytes32 node, bytes32[] memory proof) private pure returns (bytes32) {
        for (uint256 i = 0; i < proof.length; ++i) {
            node = Tree.join(node, proof[i]);
        }
        return node;
    }

    /// @dev Gas of one distribution to `due` of n; existing recipients were paid a batch before, holders have some
    /// of the token from elsewhere.
    function distributed(uint256 n, uint256 due, bool existing, uint256 held) private returns (uint256) {
        settlement = deploy(IERC20(token), address(0), ACTIVATION);
        token.mint(address(settlement), 1e27);
        Rewards memory rewards = rewardsOf(n, 1e15);
        bool[] memory wanted = new bool[](n);
        for (uint256 i = 0; i < n; ++i) {
            wanted[i] = i % (n / due) == 0;
            rewards.accounts[i] = address(uint160(uint256(keccak256(abi.encode(n, existing, held, i)))));
            if (held != 0) token.mint(rewards.accounts[i], held);
        }
        if (existing) {
            commitActive(rewards);
            distributeAll(rewards);
            for (uint256 i = 0; i < n; ++i) {
                rewards.claimables[i] *= 2;
            }
        }
        commitActive(rewards);
        Tree.Walked memory walked = Tree.walk(leavesOf(rewards), wanted);
        Rewards memory picked = pick(rewards, wanted);
        settlement.distribute(picked.accounts, picked.claimables, walked.proof, walked.steps);
        return last();
    }

    function commitNext(bytes32 root) private {
        pass(ACTIVATION);
        commit(root, settlement.total() + 1e18);
    }

    function last() private view returns (uint256) {
        return vm.lastCallGas().gasTotalUsed;
    }

    function costs(string memory what, uint256 gas, uint256 goal) private {
        vm.snapshotValue(fork(), what, gas);
        vm.assertLe(gas, goal, what);
    }
}

/// forge-config: default.isolate = true
/// forge-config: ci.isolate = true
contract GasPragueTest is GasTest {
    function fork() internal pure override returns (string memory) {
        return "prague";
    }
}

/// forge-config: default.isolate = true
/// forge-config: ci.isolate = true
contract GasOsakaTest is GasTest {
    function fork() internal pure override returns (string memory) {
        return "osaka";
    }
}
