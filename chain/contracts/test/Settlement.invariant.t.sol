// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {Actors} from "./Actors.sol";

/// @notice The books hold after any calls of anybody: tokens out = sum of all claimed = totalClaimed <= active
/// total <= funded; claimed never falls, never exceeds a proven leaf, nothing is paid twice; a cancelled commit
/// leaves totals, roots and cap as if it had never been, its number used.  `Actors.check` says each by name.
contract SettlementInvariantTest {
    struct Targets {
        address who;
        bytes4[] selectors;
    }

    Actors private actors;

    function setUp() public {
        actors = new Actors();
    }

    /// @dev forge asks these two: whom to call, and what.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actors);
    }

    function targetSelectors() external view returns (Targets[] memory targets) {
        targets = new Targets[](1);
        targets[0] = Targets(address(actors), new bytes4[](13));
        targets[0].selectors[0] = Actors.operatorCommits.selector;
        targets[0].selectors[1] = Actors.operatorSteals.selector;
        targets[0].selectors[2] = Actors.guardianCancels.selector;
        targets[0].selectors[3] = Actors.guardianPauses.selector;
        targets[0].selectors[4] = Actors.ownerUnpauses.selector;
        targets[0].selectors[5] = Actors.ownerSetsCap.selector;
        targets[0].selectors[6] = Actors.ownerAndGuardianChangeTheOperator.selector;
        targets[0].selectors[7] = Actors.anyoneClaims.selector;
        targets[0].selectors[8] = Actors.anyoneDistributes.selector;
        targets[0].selectors[9] = Actors.tokenBlocks.selector;
        targets[0].selectors[10] = Actors.recipientCallsBack.selector;
        targets[0].selectors[11] = Actors.somebodyDonates.selector;
        targets[0].selectors[12] = Actors.timePasses.selector;
    }

    function invariant_the_books_hold() public view {
        actors.check();
    }
}
